//! The six scenarios: they tell the threads what to do, wait, and read counters.
mod chat;
mod churn;
mod fanout;
mod figures;
mod idle;
mod presence;
mod publish;
mod run;
mod setup;
mod slow;
mod url;

use crate::cli::{Cli, Cmd as Scenario, Common, Fan, PublishKind};
use chat::chat;
use churn::churn;
use fanout::fanout;
use idle::idle;
use presence::presence;
use run::Run;
use setup::{publish_kind, Setup};

pub fn run(cli: &Cli, argv: Vec<String>) -> Result<i32, String> {
    let c = cli.cmd.common();
    let base = Setup { conns: 0, size: 0, publishes: false, slots: 1, chat: false, rcvbuf: 0, abrupt: false };
    let r = match &cli.cmd {
        Scenario::Idle { conns, settle, hold, .. } => {
            idle(Run::new(c, Setup { conns: *conns as u64, ..base })?, *conns, *settle, *hold)
        }
        Scenario::Fanout { f, .. } => fanout(Run::new(c, fan_setup(c, f, base))?, f, None),
        Scenario::Slow { f, slow, rcvbuf, linger, .. } => {
            fanout(Run::new(c, Setup { rcvbuf: *rcvbuf, ..fan_setup(c, f, base) })?, f, Some((*slow, *linger)))
        }
        Scenario::Chat { conns, rate, duration, warmup, size, publishers, .. } => {
            let ws = publish_kind(c) == PublishKind::Ws;
            let slots = if ws { conns.div_ceil(c.topics.max(1)) } else { *publishers };
            if *rate <= 0.0 {
                return Err("chat needs a --rate".into());
            }
            chat(
                Run::new(
                    c,
                    Setup {
                        conns: *conns as u64 + *publishers as u64,
                        size: *size,
                        publishes: true,
                        slots,
                        chat: ws,
                        ..base
                    },
                )?,
                *conns,
                *rate,
                *duration,
                *warmup,
                *publishers,
            )
        }
        Scenario::Churn { conns, rate, duration, abrupt, settle, .. } => churn(
            Run::new(c, Setup { conns: *conns as u64 * 2, abrupt: *abrupt, ..base })?,
            *conns,
            *rate,
            *duration,
            *settle,
        ),
        Scenario::Presence { conns, wait, .. } => {
            presence(Run::new(c, Setup { conns: *conns as u64, ..base })?, *conns, *wait)
        }
    };
    Ok(r.finish(cli, argv))
}

fn fan_setup(c: &Common, f: &Fan, base: Setup) -> Setup {
    Setup {
        conns: f.conns as u64 + f.publishers as u64,
        size: f.size,
        publishes: true,
        slots: f.publishers.div_ceil(c.topics.max(1)),
        ..base
    }
}
