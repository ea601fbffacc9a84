use super::*;

fn environment(pairs: &[(&str, &str)]) -> Result<Settings, SettingErrors> {
    let mut settings = Settings::default();
    settings.read_environment(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))?;
    Ok(settings)
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let mut settings = environment(&[("PORT", "2")]).unwrap();
    settings.set("port", "1".to_owned(), Source::File);
    assert_eq!(settings.get("port"), Some(("2", Source::Environment)));
    settings.set_flag("port", "3".to_owned());
    assert_eq!(settings.get("port"), Some(("3", Source::Flag)));
    assert_eq!(settings.get("host"), Some(("127.0.0.1", Source::Default)));
}

#[test]
fn a_misspelt_variable_is_named_with_the_right_one() {
    let error = environment(&[("PUSHER_LITE_JWT_SECRT", "x")]).unwrap_err().to_string();
    assert!(
        error.contains("PUSHER_LITE_JWT_SECRT") && error.contains("did you mean PUSHER_LITE_JWT_SECRET?"),
        "{error}"
    );
    assert!(environment(&[("PATH", "/bin"), ("PUSHER_LITE_CONFIG", "x.toml")]).is_ok());
}

#[test]
fn a_variable_that_is_no_text_is_named_and_not_shown() {
    use std::os::unix::ffi::OsStringExt;

    let garbled = |text: &str| OsString::from_vec([text.as_bytes(), &[0xff]].concat());
    let mut settings = Settings::default();
    let variables = [
        ("HOST".into(), garbled("x")),
        ("DATABASE_URL".into(), garbled("postgres://me:hunter2")),
        ("PORT".into(), "5000".into()),
        (garbled("PUSHER_LITE_DEMO"), "true".into()),
        (garbled("PATH"), garbled("")),
        ("PATH".into(), garbled("")),
        ("PUSHER_LITE_CONFIG".into(), garbled("")),
    ];
    let error = settings.read_environment(variables).unwrap_err().to_string();
    for named in ["3 settings", "HOST: the value is not UTF-8", "DATABASE_URL: the value", "PUSHER_LITE_DEMO\u{fffd}"] {
        assert!(error.contains(named), "{named}: {error}");
    }
    assert!(!error.contains("hunter2"), "{error}");
    assert_eq!(settings.get("port"), Some(("5000", Source::Environment)));
}

#[test]
fn a_file_is_read_and_an_unknown_key_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let mut settings = Settings::default();
    fs::write(&path, "port = 5000\ndemo = true\nhost = \"::1\"\n").unwrap();
    settings.read_file(&path).unwrap();
    assert_eq!(settings.get("port"), Some(("5000", Source::File)));
    assert_eq!(settings.get("demo"), Some(("true", Source::File)));
    fs::write(&path, "prot = 5000\n").unwrap();
    let error = settings.read_file(&path).unwrap_err().to_string();
    assert_eq!(error, "unknown setting prot (in the settings file); did you mean port?");
    fs::write(&path, "jwt_secret = \"hunter2\n").unwrap();
    let error = settings.read_file(&path).unwrap_err().to_string();
    assert!(error.contains("settings.toml") && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_malformed_secret_is_not_shown() {
    let error = malformed("jwt_secret", "longer", "hunter2", Source::Environment).to_string();
    assert!(error.contains("PUSHER_LITE_JWT_SECRET") && !error.contains("hunter2"), "{error}");
}
