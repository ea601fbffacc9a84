// The wanted differences (fixtures/DIFFERENCES.md), and how this suite reads each row. The rewritten answers and frames
// are in differences/http.js, differences/jwt.js and differences/sockets.js, by row.

/** @type {Record<string, {wanted: string, reading: string}>} */
export const DIFFERENCES = {
  D1: {
    wanted: "a clear 4xx where the original crashed",
    reading:
      "A refused handshake is 403 without a body. REST errors have the shape of the recorded validation errors or `errors.detail`. " +
      "Where the row does not say whether bad input is malformed (400) or invalid (422), both are right. A JWT whose subject is nobody: 404 or 401.",
  },
  D2: {
    wanted: "the same status, saying what was wrong",
    reading:
      '`{"errors":{"detail":…}}` under /api unless Accept is text/html, and wherever Accept asks for JSON; else an HTML page. Other headers stay ' +
      "as recorded. /js/pusher.js is 404 in the recording because that installation lacked it; here it is the client. A request without Host " +
      "may be answered by the HTTP library, without a body. A refusal of a plain GET on the socket's path has any body.",
  },
  D3: {
    wanted: "401 for who is no admin of the organization; root may use every one",
    reading: "An organization that does not exist is 404, or 401 as for any that one is no admin of.",
  },
  D4: {
    wanted: "tokens only for oneself or by root",
    reading: "Without a valid JWT 401 `Unauthenticated`; with someone else's, the same or `forbidden`.",
  },
  D5: {
    wanted: "only members of the application's organization, only active applications, only the application's topics",
    reading:
      "Handshake 403; join `unauthorized`; a push on such a topic `unmatched topic`. Sockets that lose what they lived by are closed, with any code.",
  },
  D6: { wanted: "a push needs send_message", reading: "Error reply `forbidden`, nobody hears it." },
  D7: {
    wanted: "reserved events are refused",
    reading:
      "Error reply `reserved event`, with the channel's join_ref or null; nobody hears it. Through REST 422 with errors.",
  },
  D8: { wanted: "vsn 2.0.x connects", reading: "The handshake is 101 and a heartbeat is answered as an array." },
  D9: {
    wanted: "idle sockets are closed with 1001",
    reading: "At the recorded time, within six seconds; any reason text.",
  },
  D10: { wanted: "channel=true gives a JWT without admin", reading: "`pem` holds `default` and nothing else; `pusher_lite:use` is `channel`." },
  D11: {
    wanted: "over long-polling, refusals do not end the session",
    reading: "POST answers 200; the error reply comes with the next poll.",
  },
  D12: { wanted: "`1abc` is no id", reading: "404, or 400." },
  D13: {
    wanted: "organizations by slug",
    reading:
      "`acme-inc` is found; `1abc` and `new` are slugs that nobody has, 404. A path that is no UTF-8 is 400 or 404.",
  },
  D14: { wanted: "version 4 UUIDs", reading: "Checked for every key, secret and token that the server makes." },
  D15: {
    wanted: "timestamps in UTC",
    reading: "Checked for every timestamp of now: within ten minutes, without a fraction.",
  },
  D16: {
    wanted: "a payload that is no object is refused, the channel lives on",
    reading:
      "Error reply; later pushes are relayed, a later join replaces the channel. Entries with an event that is no string are not marked in the recordings " +
      "though the row names them: both the error reply and the recorded crash are right.",
  },
  D17: { wanted: "is_root is not taken from forms", reading: "Nothing of it is in the recordings." },
  D18: {
    wanted: "one answer to a refused handshake; no CORS header on a refused preflight; URLs up to 16 KB",
    reading:
      "Something else is asked on the refused connection: nothing may come before its answer. A refused preflight is 200, 204 or 403.",
  },
  D19: {
    wanted: "payloads are passed on as they were sent",
    reading: "The payload's text in the relayed frame is the one sent, byte for byte.",
  },
  D20: {
    wanted: "messages over 1 MiB close with 1009",
    reading: "The close frame must be readable; others see the user leave.",
  },
  D21: {
    wanted: "binary pushes skip receivers that cannot take them",
    reading: "The sender's channel lives on; everyone else gets the frame.",
  },
  D22: {
    wanted: "Sec-WebSocket-Protocol: phoenix is answered",
    reading: "Where it was offered. An offer of other protocols only: none is picked, or the handshake is refused.",
  },
  D23: {
    wanted: "shutdown 1012, idle 1001; unreadable long-poll messages 400 at once",
    reading: "1001 at shutdown is right, too. 400 is the HTTP status or the one in the body.",
  },
  D24: {
    wanted: "a leave with a null join_ref is a leave",
    reading:
      "The reply carries the join_ref of the join, and phx_close follows. leave_join_ref_null is not marked in the recordings; a later push on the topic is unmatched.",
  },
  D25: {
    wanted: "refs over 4,096 bytes cannot be read",
    reading: "Nothing recorded has such a ref; the server's own tests check it.",
  },
  D26: {
    wanted: "nobody connects or publishes by an archived organization",
    reading: "No recording does. Listing and changing one are as recorded.",
  },
  D27: {
    wanted: "all messages of a long-poll batch are carried out",
    reading: "Nothing of it is in the recordings; clients/batches.test.js pushes 300 at once.",
  },
  D28: {
    wanted: "the event of a binary push is text, and no reserved name in disguise",
    reading: "Nothing of it is in the recordings.",
  },
  D30: {
    wanted: "a JWT ends with its token, in REST too",
    reading: "Its `tid` names the token. 401 as for an invalid JWT; tested by the server itself.",
  },
  D31: {
    wanted: "JWTs with `crit` are refused",
    reading: "401 as for an invalid JWT, 403 on sockets; tested by the server itself.",
  },
  D32: {
    wanted: "links in mails open a form",
    reading: "The pages are not recorded; tested by the server itself and by the journeys in browser/.",
  },
  D33: {
    wanted: "root users are made by a form with a confirmation",
    reading: "The pages are not recorded; tested by the server itself and by the journeys in browser/.",
  },
  D34: {
    wanted: "wrong tokens are limited by address",
    reading: "No recording sends that many; tested by the server itself.",
  },
  D35: { wanted: "several topics are refused", reading: "422 with `errors.topic`. A list of one is taken as recorded." },
  D36: {
    wanted: "a user whom a root user ended is out by every door",
    reading: "No recorded user is. The one whose address was never confirmed goes on, as recorded.",
  },
  D37: {
    wanted: "a user has a bounded number of organizations, tokens and changes",
    reading: "The recordings stay far below.",
  },
  D38: {
    wanted: "no body is read for what no route takes",
    reading: "404 or 405, however malformed or large the body is. No recording sends a malformed body to such a path.",
  },
  D39: {
    wanted: "`Allow` where the method is wrong",
    reading: "A header more on the recorded 404 under /api; 405 elsewhere, of which there are no recordings.",
  },
  D40: {
    wanted: "other origins read the API, sockets and files, and no page",
    reading: "The recorded header is there under /api and /socket; there are no recordings of other paths with an Origin.",
  },
  D41: {
    wanted: "the JWTs of pages can be restricted",
    reading: "No recording asks for it, or sends such a JWT; tested by the server itself.",
  },
  D42: {
    wanted: "new applications demand JWTs that list some topics",
    reading: "The applications of the recordings come from the original or are made by REST, and demand nothing; tested by the server itself.",
  },
  D43: {
    wanted: "over long-polling a refused connect has a reason",
    reading: "The body is `status` 403, `reason` with some text, and nothing else. Over WebSocket the 403 has no body, as recorded.",
  },
  D44: {
    wanted: "JWTs signed with the application's secret open its sockets",
    reading: "No recording sends such a JWT, and the applications of the recordings do not accept them; tested by the server itself.",
  },
  D45: {
    wanted: "tokens can have a name, a scope and an expiry",
    reading: "No recording sends these parameters. Tokens without them answer, and do, as recorded.",
  },
  D46: {
    wanted: "no mail contains a token",
    reading: "There are no recordings of sign-up; tested by the server itself, and in Chromium.",
  },
}
