//! Prints the contracts of the EVM tests, compiled: `make contracts` writes them anew.
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

use hansel_testkit::{Program, compile_contracts};

fn main() -> std::io::Result<()> {
    let solcjs = Program::Solcjs.find().ok_or_else(|| {
        std::io::Error::other("solcjs not found: run scripts/install-evm-tools.sh")
    })?;
    print!("{}", compile_contracts(&solcjs)?);
    Ok(())
}
