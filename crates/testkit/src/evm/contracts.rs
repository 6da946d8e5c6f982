//! The contracts in `contracts/`, compiled, and calls of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use alloy_primitives::{Bytes, keccak256};
use alloy_sol_types::SolValue;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What `cargo run --example compile-contracts` wrote.
const COMPILED: &str = include_str!("../../contracts/compiled.json");

/// A compiled contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvmContract {
    /// The code that creates it; the constructor's parameters follow it.
    pub creation: Bytes,
    /// The code that it then runs, where no part of it is filled in by its constructor.
    pub runtime: Bytes,
}

impl EvmContract {
    /// The contract of this name in `contracts/*.sol`.
    ///
    /// # Panics
    /// Where there is none.
    pub fn named(name: &str) -> &'static Self {
        static ALL: LazyLock<BTreeMap<String, EvmContract>> =
            LazyLock::new(|| serde_json::from_str(COMPILED).expect("a test compares the file"));
        ALL.get(name)
            .unwrap_or_else(|| panic!("contracts/ holds no {name}"))
    }

    /// The code that creates it with these parameters of its constructor.
    pub fn with(&self, parameters: impl AbiParameters) -> Bytes {
        [self.creation.as_ref(), &parameters.encoded()]
            .concat()
            .into()
    }
}

/// Data that calls a function, as `call("transfer(address,uint256)", (to, amount))`.
pub fn evm_call(signature: &str, parameters: impl AbiParameters) -> Bytes {
    let selector = &keccak256(signature)[..4];
    [selector, &parameters.encoded()].concat().into()
}

/// A tuple of parameters of a function or a constructor.
pub trait AbiParameters {
    /// The parameters as the contract ABI writes them.
    fn encoded(&self) -> Vec<u8>;
}

impl<T: SolValue> AbiParameters for T
where
    for<'a> <T::SolType as alloy_sol_types::SolType>::Token<'a>: alloy_sol_types::abi::TokenSeq<'a>,
{
    fn encoded(&self) -> Vec<u8> {
        self.abi_encode_params()
    }
}

/// Where the sources are.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts")
}

/// The committed result of compiling.
pub fn compiled_contracts() -> &'static str {
    COMPILED
}

/// Compiles the sources with `solcjs` 0.8.37, and returns what `contracts/compiled.json` should hold.
pub fn compile_contracts(solcjs: &Path) -> io::Result<String> {
    let answer = run(solcjs, &compiler_input()?)?;
    let mut contracts = BTreeMap::new();
    for file in answer["contracts"].as_object().into_iter().flatten() {
        for (name, contract) in file.1.as_object().into_iter().flatten() {
            let code = |part: &str| contract["evm"][part]["object"].as_str().unwrap_or_default();
            let (creation, runtime) = (code("bytecode"), code("deployedBytecode"));
            if !creation.is_empty() {
                let code =
                    json!({"creation": format!("0x{creation}"), "runtime": format!("0x{runtime}")});
                contracts.insert(name.clone(), code);
            }
        }
    }
    if contracts.is_empty() {
        return Err(io::Error::other(answer["errors"].to_string()));
    }
    Ok(format!("{:#}\n", json!(contracts)))
}

fn compiler_input() -> io::Result<Value> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(sources())? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "sol") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let source = json!({"content": fs::read_to_string(&path)?});
            files.insert(name.into_owned(), source);
        }
    }
    Ok(json!({
        "language": "Solidity",
        "sources": files,
        "settings": {
            "evmVersion": "shanghai",
            "optimizer": {"enabled": true, "runs": 200},
            // Without the digest of the sources, a changed comment changes no code.
            "metadata": {"appendCBOR": false, "bytecodeHash": "none"},
            "outputSelection": {"*": {"*": ["evm.bytecode.object", "evm.deployedBytecode.object"]}},
        },
    }))
}

/// Runs the compiler. Its answer goes to a file, as it ends before a pipe has taken all of it.
fn run(solcjs: &Path, input: &Value) -> io::Result<Value> {
    let mut answer = tempfile::tempfile()?;
    let mut compiler = Command::new(solcjs)
        .arg("--standard-json")
        .stdin(Stdio::piped())
        .stdout(answer.try_clone()?)
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = compiler.stdin.take().expect("it was asked for");
    stdin.write_all(input.to_string().as_bytes())?;
    drop(stdin);
    compiler.wait()?;
    let mut text = String::new();
    answer.rewind()?;
    answer.read_to_string(&mut text)?;
    // A remark on solvers that it does not have comes first.
    let start = text.find('{').unwrap_or(0);
    serde_json::from_str(&text[start..]).map_err(io::Error::other)
}
