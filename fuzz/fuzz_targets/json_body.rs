//! The JSON body of a request.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::http::json_body::check(input));
