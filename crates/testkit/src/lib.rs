//! Development only: real-node harness, Esplora-compatible server, fault proxy, ledger generator.
