//! Tests of the configuration.

use std::net::IpAddr;

use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    let secrets = [("PUSHER_LITE_JWT_SECRET", "j"), ("PUSHER_LITE_COOKIE_SECRET", "cccccccccccccccccccccccccccccccc")];
    let all = secrets.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    settings.read_environment(all).unwrap();
    settings
}

#[test]
fn the_defaults_are_sound() {
    let config = Config::from_settings(&settings(&[])).unwrap();
    assert_eq!((config.listen.host, config.listen.port), (IpAddr::from([127, 0, 0, 1]), 4000));
    assert_eq!(config.public_url(4000), "http://localhost:4000");
    assert_eq!(config.database.url, DatabaseUrl::Sqlite("data/pusher-lite.db".into()));
    assert_eq!((config.realtime.message_bytes, config.realtime.reply_bytes_per_second), (1 << 20, 1 << 20));
    assert!(!config.demo);
    Log::from_settings(&Settings::default()).unwrap();
}

#[test]
fn a_malformed_value_is_an_error_that_names_the_setting() {
    for (name, value) in [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("HOST", "nowhere.example"),
        ("DATABASE_URL", "mysql://root@localhost/x"),
        ("DATABASE_URL", "sqlite://"),
        ("PUSHER_LITE_DEMO", "maybe"),
        ("PUSHER_LITE_PUBLIC_URL", "chat.example.com"),
        ("PUSHER_LITE_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("PUSHER_LITE_TRUSTED_PROXIES", "localhost"),
        ("PUSHER_LITE_IDLE_TIMEOUT", "0"),
        ("PUSHER_LITE_PRESENCE_WINDOW", "0.1"),
        ("PUSHER_LITE_PRESENCE_WINDOW", "10001"),
        ("PUSHER_LITE_REDIRECT_PORT", "http"),
        ("PUSHER_LITE_REDIRECT_PORT", "80"),
        ("PUSHER_LITE_HSTS", "a year"),
        ("PUSHER_LITE_SHUTDOWN_DELAY", "-1"),
        ("PUSHER_LITE_DRAIN_WINDOW", "3601"),
        ("PUSHER_LITE_SHUTDOWN_TIMEOUT", "0"),
        ("PUSHER_LITE_MAX_MESSAGE_BYTES", "1MiB"),
        ("PUSHER_LITE_MAX_CONNECTIONS", "0"),
        ("PUSHER_LITE_MAX_SOCKETS", "0"),
        ("PUSHER_LITE_EVENTS_PER_SOCKET", "-1"),
        ("PUSHER_LITE_REPLY_BYTES_PER_SOCKET", "1MiB"),
        ("PUSHER_LITE_MAX_NAME_BYTES", "1"),
        ("PUSHER_LITE_MAX_BODY_BYTES", "8 MB"),
        ("PUSHER_LITE_METRICS_LISTEN", "9568"),
        ("PUSHER_LITE_METRICS_TOKEN", "fifteen letters"),
        ("PUSHER_LITE_DATABASE_CONNECTIONS", "0"),
    ] {
        let settings = settings(&[(name, value)]);
        let checked = Config::from_settings(&settings).and_then(|config| config.secrets(&settings));
        let error = checked.unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("in the environment"), "{name}: {error}");
    }
    let error = Config::from_settings(&settings(&[("DATABASE_URL", "mysql://root:hunter2@h/x")])).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn limits_that_contradict_each_other_are_an_error() {
    for (pairs, named, least) in [
        (&[("PUSHER_LITE_OUTBOX_MEMORY", "10000000")][..], "PUSHER_LITE_OUTBOX_MEMORY", "18097152"),
        (&[("PUSHER_LITE_MAX_BODY_BYTES", "400000000")], "PUSHER_LITE_OUTBOX_MEMORY", "802097152"),
        (&[("PUSHER_LITE_OUTBOX_BYTES", "600000000")], "PUSHER_LITE_OUTBOX_MEMORY", "616000000"),
        (&[("PUSHER_LITE_MAX_MESSAGE_BYTES", "200000000")], "PUSHER_LITE_PARTIAL_MEMORY", "400000000"),
        (&[("PUSHER_LITE_PARTIAL_MEMORY", "1048576")], "PUSHER_LITE_PARTIAL_MEMORY", "2097152"),
        (&[("PUSHER_LITE_MAX_NAME_BYTES", "2000000")], "PUSHER_LITE_MAX_MESSAGE_BYTES", "2000000"),
        (
            &[("PUSHER_LITE_MAX_BODY_BYTES", "18446744073709551615")],
            "PUSHER_LITE_OUTBOX_MEMORY",
            "18446744073709551615",
        ),
    ] {
        let error = Config::from_settings(&settings(pairs)).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains(&format!("at least {least}")), "{error}");
    }
    let sound = [
        ("PUSHER_LITE_OUTBOX_BYTES", "262144"),
        ("PUSHER_LITE_MAX_BODY_BYTES", "4096"),
        ("PUSHER_LITE_MAX_MESSAGE_BYTES", "4096"),
        ("PUSHER_LITE_OUTBOX_MEMORY", "300000"),
    ];
    let config = Config::from_settings(&settings(&sound)).unwrap();
    assert_eq!((config.realtime.event_bytes, config.realtime.outbox_bytes), (4096, 262_144));
}

#[test]
fn tls_needs_certificate_and_key() {
    let (certificate, key) = (("PUSHER_LITE_TLS_CERTIFICATE", "c.pem"), ("PUSHER_LITE_TLS_KEY", "k.pem"));
    for (set, missing) in [(certificate, key.0), (key, certificate.0)] {
        let error = Config::from_settings(&settings(&[set])).unwrap_err().to_string();
        assert!(error.contains(missing) && error.contains("must be set"), "{error}");
    }
    let config = Config::from_settings(&settings(&[certificate, key, ("PUSHER_LITE_REDIRECT_PORT", "80")])).unwrap();
    let expected = TlsFiles { certificate: "c.pem".into(), key: "k.pem".into(), redirect_port: Some(80) };
    assert_eq!((config.tls.as_ref(), config.public_url(443).as_str()), (Some(&expected), "https://localhost:443"));
}
