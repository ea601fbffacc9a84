//! Checks of the README's statements about settings and commands.

use pusher_lite::config::SETTINGS;

const README: &str = include_str!("../../README.md");

#[test]
fn every_setting_is_a_row_of_the_table() {
    for setting in SETTINGS {
        let row = README.lines().find(|line| line.starts_with(&format!("| `{}` |", setting.env)));
        let row = row.unwrap_or_else(|| panic!("{} has no row in README.md", setting.env));
        assert!(row.contains(&format!("`{}`", setting.key)), "{}: its key in the file is missing", setting.env);
        assert!(row.contains(setting.default), "{}: its default is {}", setting.env, setting.default);
        let flag = format!("`--{}`", setting.key.replace('_', "-"));
        assert_eq!(row.contains(&flag), !setting.secret, "{}: flag {flag}", setting.env);
        let plain = |text: &str| text.replace('`', "");
        assert!(plain(row).contains(&plain(setting.help)), "{}: its meaning is {}", setting.env, setting.help);
    }
}
