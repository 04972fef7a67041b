//! `cargo xtask build` makes `pkg/core` out of the crate; `cargo xtask run-wasm-test` is cargo's runner for wasm tests.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

/// What the wasm may weigh gzipped, in bytes.
const BUDGET: usize = 185_000;

const WASM: &str = "target/wasm32-unknown-unknown/release/idp_janitor.wasm";
const OUT: &str = "pkg/core";

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let task = args.next().unwrap_or_default();
    let result = match task.to_str() {
        Some("build") => build(),
        Some("run-wasm-test") => {
            wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::iter::once(program).chain(args))
                .map_err(Into::into)
        }
        _ => Err("use: cargo xtask build | run-wasm-test FILE".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        // As an rlib besides, the crate would be left out of link-time optimisation.
        .args(["rustc", "--release", "--locked", "--package", "idp-janitor", "--lib", "--crate-type", "cdylib"])
        .args(["--target", "wasm32-unknown-unknown"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags())
        .status()?;
    if !built.success() {
        return Err("the crate does not build for wasm32".into());
    }
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(WASM)
        .out_name("core")
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(OUT)?;
    check_budget(&Path::new(OUT).join("core_bg.wasm"))
}

/// Hashes are of short texts here, so their rounds need not be unrolled.
const COMPACT: &str = r#"--cfg=sha2_backend_soft="compact""#;

/// Flags that keep the wasm small, and the folders of this machine out of it: panics name the files of dependencies.
fn flags() -> String {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    home.map(|home| format!("{COMPACT} --remap-path-prefix={home}/registry/src/=")).unwrap_or_else(|_| COMPACT.into())
}

fn check_budget(wasm: &Path) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(wasm)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes)?;
    let size = gzip.finish()?.len();
    println!("{}: {} bytes, {size} gzipped, of {BUDGET} allowed", wasm.display(), bytes.len());
    if size > BUDGET {
        return Err(format!("the wasm is {} bytes over its budget", size - BUDGET).into());
    }
    Ok(())
}
