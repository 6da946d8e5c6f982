//! Sources of EVM chains: what a plain JSON-RPC endpoint can tell, and more where it offers more.

pub mod decode;
pub mod history;
mod probe;
mod protocols;
pub mod rpc;
mod source;
mod statement;
pub mod wire;

pub use protocols::EthereumProtocols;
pub use source::{EvmSource, Index};
