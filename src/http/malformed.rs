//! Heads that hyper refuses: the kind of error, and an answer that explains it.

use hyper::StatusCode;
use serde_json::json;

use super::Refusal;

/// Error in the head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The method is not a token.
    Method,
    /// The path or the query has a forbidden byte.
    Target,
    /// The version is not 1.0 or 1.1, or is missing.
    Version,
    /// A header is malformed, or folded over several lines.
    Header,
    /// `Content-Length` is not a number, or contradicts another one.
    Length,
    /// `Transfer-Encoding` is not supported.
    Encoding,
    /// Line and headers are larger than their limit.
    TooLarge,
    /// The path and the query are larger than their limit.
    TargetTooLarge,
}

impl Malformed {
    /// Returns the error in the head, if this error is about one.
    pub fn of(error: &hyper::Error) -> Option<Self> {
        if error.is_parse_too_large() {
            return Some(if error.to_string().contains("URI") { Self::TargetTooLarge } else { Self::TooLarge });
        }
        if !error.is_parse() {
            return None;
        }
        // The kind of the error is not public.
        let text = error.to_string();
        let kinds = [
            ("method", Self::Method),
            ("URI", Self::Target),
            ("version", Self::Version),
            ("content-length", Self::Length),
            ("transfer-encoding", Self::Encoding),
        ];
        Some(kinds.into_iter().find(|(part, _)| text.contains(part)).map_or(Self::Header, |(_, kind)| kind))
    }

    /// Returns the status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLarge => StatusCode::URI_TOO_LONG,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Returns the refusal that it is counted as.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Method => Refusal::MalformedMethod,
            Self::Target => Refusal::MalformedTarget,
            Self::Version => Refusal::MalformedVersion,
            Self::Header => Refusal::MalformedHeader,
            Self::Length => Refusal::MalformedLength,
            Self::Encoding => Refusal::MalformedEncoding,
            Self::TooLarge | Self::TargetTooLarge => Refusal::HeadTooLarge,
        }
    }

    /// Returns the message for the client.
    fn message(self) -> &'static str {
        match self {
            Self::Method => "the method of the request is malformed; does the client speak TLS to a port without it?",
            Self::Target => "the path or the query has a character that must be percent-encoded",
            Self::Version => "the request line must end with HTTP/1.1 or HTTP/1.0",
            Self::Header => "a header is malformed; each must be one line, a name, a colon and a value",
            Self::Length => "Content-Length must be one whole number",
            Self::Encoding => "Transfer-Encoding must be chunked and nothing else, in HTTP/1.1 only",
            Self::TooLarge => "the request line and the headers are too large",
            Self::TargetTooLarge => "the path and the query are too large",
        }
    }

    /// Returns the complete answer, after which the connection is closed. `begin` is the beginning of the request line:
    /// pages of other origins may read answers under `/api` and `/socket`.
    pub fn answer(self, begin: &[u8], request_id: &str) -> Vec<u8> {
        let status = self.status();
        let body = json!({ "errors": { "detail": self.message() } }).to_string();
        let cors = if is_for_programs(begin) { "access-control-allow-origin: *\r\n" } else { "" };
        let reason = status.canonical_reason().unwrap_or_default();
        format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nconnection: close\r\n{cors}x-request-id: {request_id}\r\n\r\n{body}",
            status.as_u16(),
            body.len()
        )
        .into_bytes()
    }
}

fn is_for_programs(begin: &[u8]) -> bool {
    let target = begin.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    target.starts_with(b"/api/") || target.starts_with(b"/socket/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_is_wrong() {
        let answer = String::from_utf8(Malformed::Target.answer(b"GET /api/organizations", "some id")).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 400 Bad Request\r\n") && head.contains("\r\nx-request-id: some id"),
            "{head}"
        );
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("access-control-allow-origin: *") && body.contains("percent-encoded"), "{answer}");
        let answer = String::from_utf8(Malformed::TooLarge.answer(b"GET /admin/x", "id")).unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 ") && !answer.contains("access-control"), "{answer}");
    }
}
