// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.0;

// Logs and messages are those of Bridge and Inbox of nitro-contracts 3.2.0: put in their place, those pass the same tests.

/// The bridge of Arbitrum as its events tell of it: it holds the ether and numbers the messages.
contract ArbitrumBridge {
    event MessageDelivered(
        uint256 indexed number,
        bytes32 indexed before,
        address inbox,
        uint8 kind,
        address sender,
        bytes32 dataHash,
        uint256 baseFee,
        uint64 time
    );

    uint256 count;
    bytes32 last;

    function enqueue(uint8 kind, address sender, bytes32 dataHash) external payable returns (uint256 number) {
        number = count++;
        emit MessageDelivered(
            number, last, msg.sender, kind, sender, dataHash, block.basefee, uint64(block.timestamp)
        );
        last = keccak256(abi.encodePacked(last, dataHash));
    }
}

/// The inbox of Arbitrum as its events tell of it: what it passes to the bridge comes from the shifted address of the caller.
contract ArbitrumInbox {
    event InboxMessageDelivered(uint256 indexed number, bytes data);

    uint160 constant SHIFT = uint160(0x1111000000000000000000000000000000001111);
    ArbitrumBridge immutable bridge;

    constructor(ArbitrumBridge its) {
        bridge = its;
    }

    function depositEth() external payable {
        deliver(12, abi.encodePacked(msg.sender, msg.value));
    }

    function createRetryableTicket(
        address to,
        uint256 value,
        uint256 submission,
        address excess,
        address refund,
        uint256 gas,
        uint256 price,
        bytes calldata data
    ) external payable {
        bytes memory parties = abi.encode(to, value, msg.value, submission, excess, refund);
        deliver(9, abi.encodePacked(parties, gas, price, data.length, data));
    }

    function deliver(uint8 kind, bytes memory data) internal {
        address sender;
        unchecked {
            sender = address(uint160(msg.sender) + SHIFT);
        }
        emit InboxMessageDelivered(bridge.enqueue{value: msg.value}(kind, sender, keccak256(data)), data);
    }
}

/// The rollup's precompile for tickets as its events tell of it, where a ticket is redeemed as soon as it is made.
contract ArbitrumTickets {
    event TicketCreated(bytes32 indexed ticket);
    event RedeemScheduled(
        bytes32 indexed ticket,
        bytes32 indexed retry,
        uint64 indexed number,
        uint64 gas,
        address donor,
        uint256 refund,
        uint256 submission
    );

    function submit(bytes32 ticket, bytes32 retry) external payable {
        emit TicketCreated(ticket);
        emit RedeemScheduled(ticket, retry, 0, 100000, msg.sender, 0, 0);
    }
}
