//! Figures of time, processor time and memory. What else the machine does changes them, so `make measure` alone compares them,
//! by an optimized build and one test after the other; elsewhere the tests check behaviour.

#![allow(clippy::print_stdout, reason = "the output of a test")]

use std::fmt::Debug;

/// Checks that a figure is below `most`, if this is `make measure`.
pub(crate) fn assert_below<T: PartialOrd + Debug>(figure: T, most: T, what: &str) {
    if std::env::var_os("MEASURE").is_some() {
        println!("{what}: {figure:?}, allowed are {most:?}");
        assert!(figure < most, "{what}: {figure:?}, allowed are {most:?}");
    }
}
