//! Tells the laundering story on a real node, prints what to trace, and keeps the node until it is interrupted.

#![expect(clippy::print_stdout, reason = "an example tells people something")]

use std::error::Error;

use hansel_testkit::{Anvil, AnvilOptions, EvmScenario, require_anvil};

fn main() -> Result<(), Box<dyn Error>> {
    let anvil = require_anvil().ok_or("there is no anvil: run `make evm-tools`")?;
    let anvil = Anvil::start(&anvil, &AnvilOptions::default())?;
    let story = EvmScenario { customers: 100 }.play(anvil.rpc())?;
    let stolen: Vec<String> = story
        .scene("theft")
        .map(|deed| deed.hash.to_string())
        .collect();
    println!(
        "hansel trace {} --chain anvil --endpoint {} --name story --hub 60",
        stolen.join(" "),
        anvil.url()
    );
    loop {
        std::thread::park();
    }
}
