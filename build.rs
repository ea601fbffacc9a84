//! Checks that the browser bundle, which is embedded in the binary, has been built.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=assets/dist");
    println!("cargo::rerun-if-changed=templates");
    if !Path::new("assets/dist/js/pusher.js").exists() {
        println!("cargo::error=assets/dist holds no browser bundle, which the binary embeds: run `make assets` first");
    }
}
