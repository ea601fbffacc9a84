//! The connect parameter `vsn`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::vsn::check(input));
