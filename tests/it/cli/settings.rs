//! What is wrong with the settings stops the start, by name.

use super::support::{Installation, text};

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
