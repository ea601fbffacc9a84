//! Errors in the settings stop the start, and name the setting.

use std::{
    ffi::OsString,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
};

use super::support::{Installation, exchange, get, text};
use crate::support::tls::CertificateFiles;

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    let installation = Installation::new();
    for (arguments, environment, named) in [
        (&["--port", "x"][..], &[][..], "--port must be"),
        (&[], &[("PORT", "70000")], "PORT must be"),
        (&[], &[("PUSHER_LITE_PROT", "1")], "unknown setting PUSHER_LITE_PROT"),
        (&["--config", "missing.toml"], &[], "missing.toml"),
        (&["--no-such-flag"], &[], "--no-such-flag"),
        (&["config", "check"], &[("DATABASE_URL", "mysql://h/x")], "DATABASE_URL"),
    ] {
        let message = installation.failure(arguments, environment);
        assert!(message.contains(named), "{arguments:?} {environment:?}: {message}");
    }
    assert_eq!(std::fs::read_dir(&installation.folder).unwrap().count(), 0, "nothing was made");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let installation = Installation::new();
    std::fs::write(installation.folder.path().join("p.toml"), "prot = 5001\nhots = \"::1\"\nmax_sockets = 0\n")
        .unwrap();
    let environment = [
        ("PUSHER_LITE_LOG", "verbose"),
        ("PUSHER_LITE_IDLE_TIMEOUT", "x"),
        ("PUSHER_LITE_OUTBX_BYTES", "1"),
        ("PUSHER_LITE_CONFIG", "p.toml"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
    ];
    for arguments in [&["config", "check", "--port", "x"][..], &["--port", "x"]] {
        let message = installation.failure(arguments, &environment);
        for named in [
            "9 settings are wrong:",
            "unknown setting PUSHER_LITE_OUTBX_BYTES",
            "unknown setting prot",
            "unknown setting hots",
            "max_sockets must be",
            "--port must be",
            "PUSHER_LITE_IDLE_TIMEOUT must be",
            "PUSHER_LITE_JWT_SECRET must be set",
            "PUSHER_LITE_COOKIE_SECRET must be set",
        ] {
            assert!(message.contains(named), "{arguments:?}, {named}: {message}");
        }
    }
}

#[test]
fn a_variable_that_is_no_text_is_named_and_a_path_need_not_be_text() {
    let installation = Installation::new();
    let garbled = |text: &str| OsString::from_vec([text.as_bytes(), &[0xff]].concat());
    for name in ["PUSHER_LITE_JWT_SECRET", "HOST", "DATABASE_URL", "PUSHER_LITE_TLS_KEY"] {
        let mut command = installation.command(&["config", "check"], &[]);
        let output = command.env(name, garbled("s3cr3t")).output().unwrap();
        let message = text(&output.stderr);
        assert!(!output.status.success() && message.contains(&format!("{name}: the value is not UTF-8")), "{output:?}");
        assert!(!message.contains("s3cr3t"), "{message}");
    }
    let file = installation.folder.path().join(garbled("settings"));
    std::fs::write(&file, "port = 5001\n").unwrap();
    for (arguments, variable) in [(vec!["--config".into(), file.clone().into()], false), (vec![], true)] {
        let mut command = installation.command(&["config", "check"], &[]);
        command.args::<_, OsString>(arguments).envs(variable.then_some(("PUSHER_LITE_CONFIG", &file)));
        let output = command.output().unwrap();
        assert!(output.status.success() && text(&output.stdout).contains("5001  (in the settings file)"), "{output:?}");
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_not_sound() {
    let (files, _) = CertificateFiles::new();
    let (others, _) = CertificateFiles::new();
    let installation = Installation::new();
    let (certificate, key) = (files.certificate.to_str().unwrap(), files.key.to_str().unwrap());
    for (key, problem) in
        [("missing.pem", Some("missing.pem: ")), (others.key.to_str().unwrap(), Some("do not fit")), (key, None)]
    {
        let environment = [("PUSHER_LITE_TLS_CERTIFICATE", certificate), ("PUSHER_LITE_TLS_KEY", key)];
        let output = installation.run(&["config", "check"], &environment);
        assert_eq!(output.status.success(), problem.is_none(), "{output:?}");
        assert!(text(&output.stderr).contains(problem.unwrap_or_default()), "{output:?}");
    }
}

#[test]
fn a_filter_that_logs_nothing_is_refused_with_what_is_allowed() {
    let installation = Installation::new();
    for arguments in [&["config", "check"][..], &[], &["migrate"]] {
        let message = installation.failure(arguments, &[("PUSHER_LITE_LOG", "verbose")]);
        assert!(
            message.contains("PUSHER_LITE_LOG must be a level (error, warn, info, debug, trace or off)"),
            "{message}"
        );
    }
    assert_eq!(std::fs::read_dir(&installation.folder).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_database_that_cannot_be_written_is_named_before_the_secrets_beside_it() {
    let installation = Installation::new();
    std::fs::write(installation.folder.path().join("data"), "a file where the folder should be").unwrap();
    let data = installation.folder.path().join("data").display().to_string();
    for arguments in [&["config", "check"][..], &[], &["migrate"]] {
        let message = installation.failure(arguments, &[]);
        let is_named = message.contains("of the SQLite database cannot be written") && message.contains(&data);
        assert!(is_named && !message.contains("secret"), "{arguments:?}: {message}");
    }
}

#[test]
fn the_start_says_how_to_make_the_first_user() {
    let installation = Installation::new();
    let mut first = installation.serve(&[]);
    assert_eq!(first.word("pusher-lite user create --email"), "you@example.com", "{}", first.welcome);
}

#[test]
fn with_postgres_both_secrets_must_be_set() {
    let postgres = ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    let installation = Installation::new();
    let message = installation.failure(&[], &[postgres]);
    assert!(message.contains("PUSHER_LITE_JWT_SECRET must be set"), "{message}");
    let message = installation.failure(&[], &[postgres, ("PUSHER_LITE_JWT_SECRET", "s3cr3t-s3cr3t")]);
    assert!(message.contains("PUSHER_LITE_COOKIE_SECRET must be set") && !message.contains("s3cr3t"), "{message}");
}

#[test]
fn commands_that_sign_nothing_need_no_secrets() {
    let postgres = ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    let installation = Installation::new();
    for arguments in [&["migrate"][..], &["user", "create", "--email", "me@example.com"], &["health", "--port", "1"]] {
        let message = installation.failure(arguments, &[postgres]);
        assert!(!message.contains("must be set"), "{arguments:?} gets as far as its work: {message}");
    }
}

#[test]
fn only_a_server_makes_the_secrets() {
    let installation = Installation::new();
    let shown = installation.stdout(&["config", "check"]);
    assert_eq!(shown.matches("(made at the first start)").count(), 2, "{shown}");
    installation.failure(&["health", "--port", "1"], &[]);
    assert_eq!(std::fs::read_dir(&installation.folder).unwrap().count(), 0, "nothing was made");
    installation.stdout(&["user", "create", "--email", "me@example.com"]);
    assert!(!installation.folder.path().join("data/jwt_secret").exists());
    assert!(installation.serve(&[]).stop());
    let shown = installation.stdout(&["config", "check"]);
    assert_eq!(shown.matches("(in the data folder)").count(), 2, "{shown}");
}

#[test]
fn the_file_is_read_and_the_check_says_where_each_value_comes_from() {
    let installation = Installation::new();
    std::fs::write(installation.folder.path().join("p.toml"), "port = 5001\nhost = \"::1\"\n").unwrap();
    let environment = [("PUSHER_LITE_CONFIG", "p.toml"), ("HOST", "0.0.0.0"), ("PUSHER_LITE_JWT_SECRET", "s3cr3t")];
    let output = installation.run(&["config", "check", "--idle-timeout", "7"], &environment);
    let shown = text(&output.stdout);
    for (setting, value) in [
        ("PORT ", "5001  (in the settings file)"),
        ("HOST ", "0.0.0.0  (in the environment)"),
        ("PUSHER_LITE_IDLE_TIMEOUT ", "7  (as a flag)"),
        ("PUSHER_LITE_DEMO ", "false  (by default)"),
    ] {
        assert!(shown.lines().any(|line| line.starts_with(setting) && line.ends_with(value)), "{setting}: {shown}");
    }
    assert!(output.status.success() && !shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn without_a_mail_server_one_is_told_what_does_not_work() {
    let installation = Installation::new();
    let shown = installation.stdout(&["config", "check"]);
    assert!(shown.contains("No mail leaves, since PUSHER_LITE_SMTP_URL is not set"), "{shown}");
    let message = installation.failure(&["mail", "test", "me@example.com"], &[]);
    assert!(message.contains("PUSHER_LITE_SMTP_URL is not set"), "{message}");

    drop(installation.serve(&[]));
    assert!(installation.log().contains("No mail leaves, since PUSHER_LITE_SMTP_URL is not set"));
    let mut demo = Installation::new().serve(&[("PUSHER_LITE_DEMO", "true")]);
    assert!(demo.word("Mailbox").ends_with("/dev/mailbox"));
}

#[test]
fn a_mail_server_that_cannot_be_reached_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("smtp://me:s3cr3t@127.0.0.1:{port}");
    let environment = [
        ("PUSHER_LITE_SMTP_URL", url.as_str()),
        ("PUSHER_LITE_MAIL_FROM", "noreply@example.com"),
        ("PUSHER_LITE_PUBLIC_URL", "https://push.example.com"),
    ];
    let installation = Installation::new();
    let message = installation.failure(&["mail", "test", "me@example.com"], &environment);
    assert!(message.contains("The mail server cannot be reached") && !message.contains("s3cr3t"), "{message}");
    let message = installation.failure(&["mail", "test", "nobody"], &environment);
    assert!(message.contains("is no address"), "{message}");
    let output = installation.run(&["config", "check"], &environment);
    let shown = text(&output.stdout);
    assert!(
        shown.contains(&format!("Mails leave through 127.0.0.1 port {port}")) && !shown.contains("s3cr3t"),
        "{shown}"
    );
}

#[test]
fn help_teaches() {
    let help = Installation::new().stdout(&["--help"]);
    for part in ["Examples:", "serve", "migrate", "seed", "user", "token", "config", "DATABASE_URL", "4000"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn weak_secrets_and_open_files_are_warned_of_and_refused_nowhere() {
    let installation = Installation::new();
    let weak = [("PUSHER_LITE_JWT_SECRET", "s3cr3t")];
    let mut running = installation.serve(&weak);
    let port = running.port();
    assert!(get(port, "/health/live").starts_with("HTTP/1.1 200"));
    let log = installation.log();
    assert!(log.contains("shorter than 32 characters") && !log.contains("s3cr3t"), "{log}");
    assert!(running.stop());

    let path = installation.folder.path().join("data/cookie_secret");
    let open = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let checked = |environment: &[(&str, &str)]| text(&installation.run(&["config", "check"], environment).stdout);
    assert!(!checked(&[]).contains("Warning: "), "{}", checked(&[]));
    assert!(checked(&weak).contains("Warning: The secret that signs JWTs is shorter"), "{}", checked(&weak));
    open(0o644);
    let enter = |mode| {
        for folder in [installation.folder.path(), path.parent().unwrap()] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    enter(0o700);
    assert!(!checked(&[]).contains("cookie_secret, which"), "nobody else gets into the folder");
    enter(0o755);
    let said = checked(&[]);
    assert!(said.contains("cookie_secret, which holds secrets; `chmod o= "), "{said}");
}

#[test]
fn a_proxy_that_nobody_named_is_told_of_once() {
    let installation = Installation::new();
    let mut running = installation.serve(&[]);
    let port = running.port();
    for client in ["203.0.113.1", "203.0.113.2"] {
        let head =
            format!("GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {client}\r\n\r\n");
        assert!(exchange(port, &head).starts_with("HTTP/1.1 200"));
    }
    let log = installation.log();
    assert_eq!(log.matches("set PUSHER_LITE_TRUSTED_PROXIES").count(), 1, "{log}");
    assert!(running.stop());

    let mut trusting = installation.serve(&[("PUSHER_LITE_TRUSTED_PROXIES", "127.0.0.1")]);
    let port = trusting.port();
    exchange(port, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 203.0.113.1\r\n\r\n");
    assert!(!installation.log().contains("set PUSHER_LITE_TRUSTED_PROXIES"));
    assert!(trusting.stop());
}

#[test]
fn who_may_sign_up_is_shown() {
    let installation = Installation::new();
    for (environment, shown) in [
        (&[][..], "-  (not set: open in an older installation; in a new one, invited once there is a root user)"),
        (&[("PUSHER_LITE_DEMO", "true")], "open  (in demo mode)"),
        (&[("PUSHER_LITE_DEMO", "true"), ("PUSHER_LITE_SIGN_UP", "off")], "off  (in the environment)"),
    ] {
        let output = installation.run(&["config", "check"], environment);
        let line = format!("{:<34} {shown}", "PUSHER_LITE_SIGN_UP");
        assert!(text(&output.stdout).lines().any(|printed| printed == line), "{line}: {output:?}");
    }
    let domains = [("PUSHER_LITE_SIGN_UP_DOMAINS", "bücher.example")];
    let message = installation.failure(&["config", "check"], &domains);
    assert!(message.contains("PUSHER_LITE_SIGN_UP_DOMAINS must be mail domains"), "{message}");
}
