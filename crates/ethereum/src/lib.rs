//! Sources of EVM chains: what a plain JSON-RPC endpoint can tell, and more where it offers more.

pub mod decode;
mod protocols;

pub use protocols::EthereumProtocols;
