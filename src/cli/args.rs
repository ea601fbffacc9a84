//! Arguments of the command line. The flags of the settings come from their table.

use std::ffi::OsString;

use clap::{
    Arg, ArgAction, ArgMatches, Command, ValueHint,
    builder::{PossibleValue, PossibleValuesParser},
    value_parser,
};

use crate::{
    config::{SETTINGS, Setting},
    store::token_scope::TokenScope,
};

const EXAMPLES: &str = "\
Examples:
  pusher-lite                                    serve on http://localhost:4000, data in ./data
  PUSHER_LITE_DEMO=true pusher-lite              the same, with demo data and a chat at /demo
  pusher-lite --port 5000 --host 0.0.0.0         listen elsewhere
  pusher-lite user create --email me@example.com --root
  pusher-lite token create --user me@example.com --name chat --scope publish --expires-in-days 90
  pusher-lite mail test me@example.com           send a test mail
  pusher-lite config check                       check and show the settings

Each setting can be a flag, an environment variable or a line in the settings file; the first of these wins.
Four are secret and have no flag: PUSHER_LITE_JWT_SECRET, PUSHER_LITE_COOKIE_SECRET, PUSHER_LITE_SMTP_URL and
PUSHER_LITE_METRICS_TOKEN. With SQLite, the first two are made once and kept beside the database. With Postgres, set both.";

/// Returns the whole command.
pub(super) fn command() -> Command {
    Command::new("pusher-lite")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A self-hosted real-time server for Phoenix channel clients and the ExPusherLite API")
        .after_help(EXAMPLES)
        .arg(config_file())
        .args(SETTINGS.iter().filter(|setting| !setting.secret).map(flag))
        .subcommand(Command::new("serve").about("Serve until stopped; the default command"))
        .subcommand(Command::new("migrate").about("Bring the database up to date"))
        .subcommand(
            Command::new("backup").about("Copy an SQLite database into a new file; a server may use it meanwhile").arg(
                Arg::new("file")
                    .value_name("FILE")
                    .value_hint(ValueHint::FilePath)
                    .value_parser(value_parser!(OsString))
                    .required(true)
                    .help("The new file"),
            ),
        )
        .subcommand(
            Command::new("health").about("Ask the server of these settings whether it is ready; fail if it is not"),
        )
        .subcommand(Command::new("seed").about("Fill an empty database with demo data (--demo)"))
        .subcommand(group("user", "Manage users").subcommand(user_create()))
        .subcommand(group("token", "Manage the tokens that backends exchange for JWTs").subcommand(token_create()))
        .subcommand(group("audit", "Manage the audit log").subcommand(audit_trim()))
        .subcommand(group("mail", "Check the sending of mail").subcommand(mail_test()))
        .subcommand(
            group("config", "Check the settings")
                .subcommand(Command::new("check").about("Check every setting, and print where each value comes from")),
        )
}

/// Returns the settings that were given as flags, by their keys in the table.
pub(super) fn flags(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let given = |setting: &Setting| Some((setting.key, matches.get_one::<String>(setting.key)?.clone()));
    SETTINGS.iter().filter(|setting| !setting.secret).filter_map(given).collect()
}

fn flag(setting: &'static Setting) -> Arg {
    let default = if setting.default.is_empty() { String::new() } else { format!(", default: {}", setting.default) };
    let arg = Arg::new(setting.key)
        .long(setting.key.replace('_', "-"))
        .value_name(setting.unit)
        .help(format!("{} [env: {}{default}]", setting.help, setting.env))
        .help_heading("Settings")
        .global(true);
    if setting.unit == "BOOL" { arg.num_args(0..=1).default_missing_value("true").require_equals(true) } else { arg }
}

fn config_file() -> Arg {
    Arg::new("config_file")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::FilePath)
        .help("TOML file with settings, one `key = value` a line [env: PUSHER_LITE_CONFIG]")
        .help_heading("Settings")
        .global(true)
}

fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true)
}

fn user_create() -> Command {
    Command::new("create")
        .about("Create a confirmed user; without --password-stdin, a password is made and printed once")
        .arg(Arg::new("email").long("email").value_name("EMAIL").required(true).help("The address to sign in with"))
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("NAME")
                .help("The name to show; the part of the address before the @ unless given"),
        )
        .arg(
            Arg::new("root")
                .long("root")
                .action(ArgAction::SetTrue)
                .help("Make a root user, who may manage everything"),
        )
        .arg(
            Arg::new("password_stdin")
                .long("password-stdin")
                .action(ArgAction::SetTrue)
                .help("Read the password from standard input"),
        )
}

fn audit_trim() -> Command {
    Command::new("trim").about("Remove entries from before a date, and record that; changes wait meanwhile").arg(
        Arg::new("before")
            .long("before")
            .value_name("DATE")
            .required(true)
            .help("The first day to keep, in UTC, such as 2026-01-31; at least 30 days ago"),
    )
}

fn mail_test() -> Command {
    Command::new("test")
        .about("Send a test mail; if that fails, say why")
        .arg(Arg::new("address").value_name("ADDRESS").required(true).help("The recipient"))
}

fn token_create() -> Command {
    Command::new("create")
        .about("Create a token and print it, without anything else")
        .arg(Arg::new("user").long("user").value_name("EMAIL").required(true).help("The user of the token"))
        .arg(
            Arg::new("token_name")
                .long("name")
                .value_name("NAME")
                .help("The name to show, at most 100 characters, such as the backend that uses the token"),
        )
        .arg(
            Arg::new("scope")
                .long("scope")
                .value_name("SCOPE")
                .default_value(TokenScope::All.name())
                .value_parser(PossibleValuesParser::new(TokenScope::ALL.map(scope)))
                .help("What the token is for"),
        )
        .arg(
            Arg::new("expires_in_days")
                .long("expires-in-days")
                .value_name("DAYS")
                .value_parser(value_parser!(u16).range(1..=36_500))
                .help("The days after which the token is invalid; without it, the token does not expire"),
        )
}

/// Returns a value of the argument for the scope, with its explanation.
fn scope(scope: TokenScope) -> PossibleValue {
    PossibleValue::new(scope.name()).help(scope.sentence())
}
