//! The first topics of the events that are kept with a transaction: those of bridges, mixers and shielded pools.
//!
//! A topic names a form, not a protocol: whoever reads an event looks at the contract that logged it first.

use alloy_primitives::{B256, b256};

macro_rules! topics {
    ($($name:ident = $signature:literal $topic:literal;)*) => {
        $(#[doc = concat!("`", $signature, "`")] pub const $name: B256 = b256!($topic);)*

        /// Every topic here, with the signature that it is the Keccak-256 hash of; empty where no source tells it.
        pub const ALL: &[(&str, B256)] = &[$(($signature, $name),)*];
    };
}

topics! {
    ACROSS_FILLED_RELAY = "FilledRelay(bytes32,bytes32,uint256,uint256,uint256,uint256,uint256,uint32,uint32,bytes32,bytes32,bytes32,bytes32,bytes32,(bytes32,bytes32,uint256,uint8))"
        "44b559f101f8fbcc8a0ea43fa91a05a729a5ea6e14a7c75aa750374690137208";
    ACROSS_FILLED_V3_RELAY = "FilledV3Relay(address,address,uint256,uint256,uint256,uint256,uint32,uint32,uint32,address,address,address,address,bytes,(address,bytes,uint256,uint8))"
        "571749edf1d5c9599318cdbc4e28a6475d65e87fd3b2ddbe1e9a8d5e7a0f0ff7";
    ACROSS_FUNDS_DEPOSITED = "FundsDeposited(bytes32,bytes32,uint256,uint256,uint256,uint256,uint32,uint32,uint32,bytes32,bytes32,bytes32,bytes)"
        "32ed1a409ef04c7b0227189c3a103dc5ac10e775a15b785dcc510201f7c25ad3";
    ACROSS_REQUESTED_SLOW_FILL = "RequestedSlowFill(bytes32,bytes32,uint256,uint256,uint256,uint256,uint32,uint32,bytes32,bytes32,bytes32,bytes32)"
        "3cee3e290f36226751cd0b3321b213890fe9c768e922f267fa6111836ce05c32";
    ACROSS_REQUESTED_SPEED_UP_DEPOSIT = "RequestedSpeedUpDeposit(uint256,uint256,bytes32,bytes32,bytes,bytes)"
        "45e04bc8f121ba11466985789ca2822a91109f31bb8ac85504a37b7eaf873c26";
    ACROSS_REQUESTED_SPEED_UP_V3_DEPOSIT = "RequestedSpeedUpV3Deposit(uint256,uint32,address,address,bytes,bytes)"
        "b0a29aed3d389a1041194255878b423f7780be3ed2324d4693508c6ff189845e";
    ACROSS_REQUESTED_V3_SLOW_FILL = "RequestedV3SlowFill(address,address,uint256,uint256,uint256,uint32,uint32,uint32,address,address,address,bytes)"
        "923794976d026d6b119735adc163cb71decfc903e17c3dc226c00789593c04e1";
    ACROSS_V2_FILLED_RELAY = "FilledRelay(uint256,uint256,uint256,uint256,uint256,uint256,int64,int64,uint32,address,address,address,address,bytes,(address,bytes,int64,bool,int256))"
        "8ab9dc6c19fe88e69bc70221b339c84332752fdd49591b7c51e66bae3947b73c";
    ACROSS_V2_FUNDS_DEPOSITED = "FundsDeposited(uint256,uint256,uint256,int64,uint32,uint32,address,address,address,bytes)"
        "afc4df6845a4ab948b492800d3d8a25d538a102a2bc07cd01f1cfa097fddcff6";
    ACROSS_V2_OLD_FILLED_RELAY = "FilledRelay(uint256,uint256,uint256,uint256,uint256,uint256,uint64,uint64,uint64,uint32,address,address,address,address,bool)"
        "56450a30040c51955338a4a9fbafcf94f7ca4b75f4cd83c2f5e29ef77fbe0a3a";
    ACROSS_V2_OLD_FILLED_RELAY_2 = "FilledRelay(uint256,uint256,uint256,uint256,uint256,uint256,int64,int64,int64,uint32,address,address,address,address,bool)"
        "508875aaa57f23f190cded68b14eb58052710041bc7a4c36f3c3517da2d6fa34";
    ACROSS_V2_OLD_FUNDS_DEPOSITED = "FundsDeposited(uint256,uint256,uint256,uint64,uint32,uint32,address,address,address)"
        "4a4fc49abd237bfd7f4ac82d6c7a284c69daaea5154430cff04ad7482c6c4254";
    ACROSS_V2_OLD_FUNDS_DEPOSITED_2 = "FundsDeposited(uint256,uint256,uint256,int64,uint32,uint32,address,address,address)"
        "2ec3df8c21703350d902daf74bf0073c7c2d1a46f9253ec5fa725885efa1d2f1";
    ACROSS_V2_OLD_FUNDS_DEPOSITED_3 = "FundsDeposited(uint256,uint256,uint64,uint32,uint32,address,address,address)"
        "fc53c5b967d467d4136291c639720626f3d6dda97b4364da813e6858ad48a721";
    ACROSS_V3_FUNDS_DEPOSITED = "V3FundsDeposited(address,address,uint256,uint256,uint256,uint32,uint32,uint32,uint32,address,address,address,bytes)"
        "a123dc29aebf7d0c3322c8eeb5b999e859f39937950ed31056532713d0de396f";
    ARBITRUM_OLD_REDEEM_SCHEDULED = "RedeemScheduled(bytes32,bytes32,uint64,uint64,address)"
        "a32dc1ea3703cce128e2c11867e7868da8910da1b2c0047ac851cff58ab22cea";
    ARBITRUM_REDEEM_SCHEDULED = "RedeemScheduled(bytes32,bytes32,uint64,uint64,address,uint256,uint256)"
        "5ccd009502509cf28762c67858994d85b163bb6e451f5e9df7c5e18c9c2e123e";
    ARBITRUM_TICKET_CREATED = "TicketCreated(bytes32)"
        "7c793cced5743dc5f531bbe2bfb5a9fa3f40adef29231e6ab165c08a29e3dd89";
    BTCB_MINT = "Mint(address,uint256,address,uint256,bytes32,uint256)"
        "c5532043e6f3d77e1c320ff59bd4157ca9075ef59f6b55ceab6c3f7d2f78c9ca";
    CANONICAL_BRIDGE_CALL_TRIGGERED = "BridgeCallTriggered(address,address,uint256,bytes)"
        "2d9d115ef3e4a606d698913b1eae831a3cdfe20d9a83d48007b0526749c3d466";
    CANONICAL_DEPOSIT_INITIATED = "DepositInitiated(address,address,address,uint256,uint256)"
        "b8910b9960c443aac3240b98585384e3a6f109fbf6969e264c3f183d69aba7e1";
    CANONICAL_ERC20_BRIDGE_FINALIZED = "ERC20BridgeFinalized(address,address,address,address,uint256,bytes)"
        "d59c65b35445225835c83f50b6ede06a7be047d22e357073e250d9af537518cd";
    CANONICAL_ERC20_BRIDGE_INITIATED = "ERC20BridgeInitiated(address,address,address,address,uint256,bytes)"
        "7ff126db8024424bbfd9826e8ab82ff59136289ea440b04b39a0df1b03b9cabf";
    CANONICAL_ERC20_DEPOSIT_INITIATED = "ERC20DepositInitiated(address,address,address,address,uint256,bytes)"
        "718594027abd4eaed59f95162563e0cc6d0e8d5b86b1c7be8b1b0ac3343d0396";
    CANONICAL_ERC20_WITHDRAWAL_FINALIZED = "ERC20WithdrawalFinalized(address,address,address,address,uint256,bytes)"
        "3ceee06c1e37648fcbb6ed52e17b3e1f275a1f8c7b22a84b2b84732431e046b3";
    CANONICAL_ETH_BRIDGE_FINALIZED = "ETHBridgeFinalized(address,address,uint256,bytes)"
        "31b2166ff604fc5672ea5df08a78081d2bc6d746cadce880747f3643d819e83d";
    CANONICAL_ETH_BRIDGE_INITIATED = "ETHBridgeInitiated(address,address,uint256,bytes)"
        "2849b43074093a05396b6f2a937dee8565b15a48a7b3d4bffb732a5017380af5";
    CANONICAL_ETH_DEPOSIT_INITIATED = "ETHDepositInitiated(address,address,uint256,bytes)"
        "35d79ab81f2b2017e19afb5c5571778877782d7a8786f5907f93b0f4702f4f23";
    CANONICAL_ETH_WITHDRAWAL_FINALIZED = "ETHWithdrawalFinalized(address,address,uint256,bytes)"
        "2ac69ee804d9a7a0984249f508dfab7cb2534b465b6ce1580f99a38ba9c5e631";
    CANONICAL_EXITED_ETHER = "ExitedEther(address,uint256)"
        "0fc0eed41f72d3da77d0f53b9594fc7073acd15ee9d7c536819a70a67c57ef3c";
    CANONICAL_INBOX_MESSAGE_DELIVERED = "InboxMessageDelivered(uint256,bytes)"
        "ff64905f73a67fb594e0f940a8075a860db489ad991e032f48c81123eb52d60b";
    CANONICAL_INBOX_MESSAGE_DELIVERED_FROM_ORIGIN = "InboxMessageDeliveredFromOrigin(uint256)"
        "ab532385be8f1005a4b6ba8fa20a2245facb346134ac739fe9a5198dc1580b9c";
    CANONICAL_LOCKED_ERC20 = "LockedERC20(address,address,address,uint256)"
        "9b217a401a5ddf7c4d474074aff9958a18d48690d77cc2151c4706aa7348b401";
    CANONICAL_LOCKED_ETHER = "LockedEther(address,address,uint256)"
        "3e799b2d61372379e767ef8f04d65089179b7a6f63f9be3065806456c7309f1b";
    CANONICAL_MESSAGE_DELIVERED = "MessageDelivered(uint256,bytes32,address,uint8,address,bytes32,uint256,uint64)"
        "5e3c1311ea442664e8b1611bfabef659120ea7a0a2cfc0667700bebc69cbffe1";
    CANONICAL_MESSAGE_PASSED = "MessagePassed(uint256,address,address,uint256,uint256,bytes,bytes32)"
        "02a52367d10742d8032712c1bb8e0144ff1ec5ffda1ed7d70bb05a2744955054";
    CANONICAL_OUT_BOX_TRANSACTION_EXECUTED = "OutBoxTransactionExecuted(address,address,uint256,uint256)"
        "20af7f3bbfe38132b8900ae295cd9c8d1914be7052d061a511f3f728dab18964";
    CANONICAL_PORTAL_WITHDRAWAL_FINALIZED = "WithdrawalFinalized(bytes32,bool)"
        "db5c7652857aa163daadd670e116628fb42e869d8ac4251ef8971d9e5727df1b";
    CANONICAL_RELAYED_MESSAGE = "RelayedMessage(bytes32)"
        "4641df4a962071e12719d8c8c8e5ac7fc4d97b927346a3d7a335b1f7517e133c";
    CANONICAL_SENT_MESSAGE = "SentMessage(address,address,bytes,uint256,uint256)"
        "cb0f7ffd78f9aee47a248fae8db181db6eee833039123e026dcbff529522e52a";
    CANONICAL_STATE_SYNCED = "StateSynced(uint256,address,bytes)"
        "103fed9db65eac19c4d870f49ab7520fe03b99f1838e5996caf47e9e43308392";
    CANONICAL_TRANSACTION_DEPOSITED = "TransactionDeposited(address,address,uint256,bytes)"
        "b3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32";
    CANONICAL_WITHDRAWAL_FINALIZED = "WithdrawalFinalized(address,address,address,uint256,uint256)"
        "891afe029c75c4f8c5855fc3480598bc5a53739344f6ae575bdb7ea2a79f56b3";
    CANONICAL_WITHDRAWAL_PROVEN = "WithdrawalProven(bytes32,address,address)"
        "67a6208cfcc0801d50f6cbe764733f4fddf66ac0b04442061a8a8c0cb6b63f62";
    CCTP_DEPOSIT_FOR_BURN = "DepositForBurn(uint64,address,uint256,address,bytes32,uint32,bytes32,bytes32)"
        "2fa9ca894982930190727e75500a97d8dc500233a5065e0f3126c48fbe0343c0";
    CCTP_MESSAGE_RECEIVED = "MessageReceived(address,uint32,uint64,bytes32,bytes)"
        "58200b4c34ae05ee816d710053fff3fb75af4395915d3d2a771b24aa10e3cc5d";
    CCTP_MESSAGE_SENT = "MessageSent(bytes)"
        "8c5261668696ce22758910d05bab8f186d6eb247ceac2af2e82c7dc17669b036";
    CCTP_MINT_AND_WITHDRAW = "MintAndWithdraw(address,uint256,address)"
        "1b2a7ff080b8cb6ff436ce0372e399692bbfb6d4ae5766fd8d58a7b8cc6142e6";
    CCTP_V2_DEPOSIT_FOR_BURN = "DepositForBurn(address,uint256,address,bytes32,uint32,bytes32,bytes32,uint256,uint32,bytes)"
        "0c8c1cbdc5190613ebd485511d4e2812cfa45eecb79d845893331fedad5130a5";
    CCTP_V2_MESSAGE_RECEIVED = "MessageReceived(address,uint32,bytes32,bytes32,uint32,bytes)"
        "ff48c13eda96b1cceacc6b9edeedc9e9db9d6226afbc30146b720c19d3addb1c";
    CCTP_V2_MINT_AND_WITHDRAW = "MintAndWithdraw(address,uint256,address,uint256)"
        "50c55e915134d457debfa58eb6f4342956f8b0616d51a89a3659360178e1ab63";
    CELER_BURN = "Burn(bytes32,address,address,uint256,address)"
        "75f1bf55bb1de41b63a775dc7d4500f01114ee62b688a6b11d34f4692c1f3d43";
    CELER_BURN_2 = "Burn(bytes32,address,address,uint256,uint64,address,uint64)"
        "6298d7b58f235730b3b399dc5c282f15dae8b022e5fbbf89cee21fd83c8810a3";
    CELER_DEPOSITED = "Deposited(bytes32,address,address,uint256,uint64,address)"
        "15d2eeefbe4963b5b2178f239ddcc730dda55f1c23c22efb79ded0eb854ac789";
    CELER_DEPOSITED_2 = "Deposited(bytes32,address,address,uint256,uint64,address,uint64)"
        "28d226819e371600e26624ebc4a9a3947117ee2760209f816c789d3a99bf481b";
    CELER_MINT = "Mint(bytes32,address,address,uint256,uint64,bytes32,address)"
        "5bc84ecccfced5bb04bfc7f3efcdbe7f5cd21949ef146811b4d1967fe41f777a";
    CELER_RELAY = "Relay(bytes32,address,address,address,uint256,uint64,bytes32)"
        "79fa08de5149d912dce8e5e8da7a7c17ccdf23dd5d3bfe196802e6eb86347c7c";
    CELER_SEND = "Send(bytes32,address,address,address,uint256,uint64,uint64,uint32)"
        "89d8051e597ab4178a863a5190407b98abfeff406aa8db90c59af76612e58f01";
    CELER_WITHDRAWN = "Withdrawn(bytes32,address,address,uint256,uint64,bytes32,address)"
        "296a629c5265cb4e5319803d016902eb70a9079b89655fe2b7737821ed88beeb";
    CELER_WITHDRAW_DONE = "WithdrawDone(bytes32,uint64,address,address,uint256,bytes32)"
        "48a1ab26f3aa7b62bb6b6e8eed182f292b84eb7b006c0254386b268af20774be";
    CHAINFLIP_FETCHED_NATIVE = "FetchedNative(address,uint256)"
        "a5df10d7a7c736bd7231e790267747aebface82ad6ee778d26a4aa99eb1c2f7b";
    CHAINFLIP_SWAP_NATIVE = "SwapNative(uint32,bytes,uint32,uint256,address,bytes)"
        "6757034e841d88190e95fa8a7570ce6cb721257474400c3282ec536eab810540";
    CHAINFLIP_SWAP_TOKEN = "SwapToken(uint32,bytes,uint32,address,uint256,address,bytes)"
        "834b524d9f8ccbd31b00b671c896697b96eb4398c0f56e9386a21f5df61e3ce3";
    CHAINFLIP_TRANSFER_NATIVE_FAILED = "TransferNativeFailed(address,uint256)"
        "2c024f929e1e2dec521388b8607f880d3bb3165478e3c80b1a4c280e0130d981";
    CHAINFLIP_TRANSFER_TOKEN_FAILED = "TransferTokenFailed(address,uint256,address,bytes)"
        "158555118e14c8fb6d2e41d2bf4c3c75c8bcab740492ca50f44458a2bd021715";
    CHAINFLIP_XCALL_NATIVE = "XCallNative(uint32,bytes,uint32,uint256,address,bytes,uint256,bytes)"
        "47705cc9a85c5f679e1f4e8e7fbd459b8267bc61fa3111ced6fe84f71d7d889e";
    CHAINFLIP_XCALL_TOKEN = "XCallToken(uint32,bytes,uint32,address,uint256,address,bytes,uint256,bytes)"
        "030b52f4ea12be896482bc46f95fb31f1ac9457bc1a2a206981fbd18a69cc6e3";
    DEBRIDGE_CLAIMED_ORDER_CANCEL = "ClaimedOrderCancel(bytes32,address,uint256,address)"
        "7d7d1c5b3eadbe275ceb358e65cd57410b35997187258dbaaae42ab6e1405fd8";
    DEBRIDGE_CLAIMED_UNLOCK = "ClaimedUnlock(bytes32,address,uint256,address)"
        "33fff3d864e92b6e1ef9e830196fc019c946104ea621b833aaebd3c3e84b2f6f";
    DEBRIDGE_CREATED_ORDER = "CreatedOrder((uint64,bytes,uint256,bytes,uint256,uint256,bytes,uint256,bytes,bytes,bytes,bytes,bytes,bytes),bytes32,bytes,uint256,uint256,uint32,bytes)"
        "fc8703fd57380f9dd234a89dce51333782d49c5902f307b02f03e014d18fe471";
    DEBRIDGE_FULFILLED_ORDER = "FulfilledOrder((uint64,bytes,uint256,bytes,uint256,uint256,bytes,uint256,bytes,bytes,bytes,bytes,bytes,bytes),bytes32,address,address)"
        "d281ee92bab1446041582480d2c0a9dc91f855386bb27ea295faac1e992f7fe4";
    HOP_TRANSFER_FROM_L1_COMPLETED = "TransferFromL1Completed(address,uint256,uint256,uint256,address,uint256)"
        "320958176930804eb66c2343c7343fc0367dc16249590c0f195783bee199d094";
    HOP_TRANSFER_SENT = "TransferSent(bytes32,uint256,address,uint256,bytes32,uint256,uint256,uint256,uint256)"
        "e35dddd4ea75d7e9b3fe93af4f4e40e778c3da4074c9d93e7c6536f1e803c1eb";
    HOP_TRANSFER_SENT_TO_L2 = "TransferSentToL2(uint256,address,uint256,uint256,uint256,address,uint256)"
        "0a0607688c86ec1775abcdbab7b33a3a35a6c9cde677c9be880150c231cc6b0b";
    HOP_WITHDRAWAL_BONDED = "WithdrawalBonded(bytes32,uint256)"
        "0c3d250c7831051e78aa6a56679e590374c7c424415ffe4aa474491def2fe705";
    LZ_OFT_RECEIVED = "OFTReceived(bytes32,uint32,address,uint256)"
        "efed6d3500546b29533b128a29e3a94d70788727f0507505ac12eaf2e578fd9c";
    LZ_OFT_SENT = "OFTSent(bytes32,uint32,address,uint256,uint256)"
        "85496b760a4b7f8d66384b9df21b381f5d1b1e79f229a47aaf4c232edc2fe59a";
    LZ_PACKET = "Packet(bytes)"
        "e9bded5f24a4168e4f3bf44e00298c993b22376aad8c58c7dda9718a54cbea82";
    LZ_PACKET_DELIVERED = "PacketDelivered((uint32,bytes32,uint64),address)"
        "3cd5e48f9730b129dc7550f0fcea9c767b7be37837cd10e55eb35f734f4bca04";
    LZ_PACKET_RECEIVED = "PacketReceived(uint16,bytes,address,uint64,bytes32)"
        "2bd2d8a84b748439fd50d79a49502b4eb5faa25b864da6a9ab5c150704be9a4d";
    LZ_PACKET_SENT = "PacketSent(bytes,bytes,address)"
        "1ab700d4ced0c005b164c0f789fd09fcbb0156d4c2041b8a3bfbcd961cd1567f";
    LZ_RECEIVE_FROM_CHAIN = "ReceiveFromChain(uint16,uint64,uint256)"
        "831bc68226f8d1f734ffcca73602efc4eca13711402ba1d2cc05ee17bb54f631";
    LZ_SEND_TO_CHAIN = "SendToChain(uint16,bytes,uint256)"
        "664e26797cde1146ddfcb9a5d3f4de61179f9c11b2698599bb09e686f442172b";
    LZ_SWAP = "Swap(uint16,uint256,address,uint256,uint256,uint256,uint256,uint256)"
        "34660fc8af304464529f48a778e03d03e4d34bcd5f9b6f0cfbf3cd238c642f7f";
    LZ_SWAP_REMOTE = "SwapRemote(address,uint256,uint256,uint256)"
        "fb2b592367452f1c437675bed47f5e1e6c25188c17d7ba01a12eb030bc41ccef";
    MULTICHAIN_LOG_ANY_SWAP_IN = "LogAnySwapIn(bytes32,address,address,uint256,uint256,uint256)"
        "aac9ce45fe3adf5143598c4f18a369591a20a3384aedaf1b525d29127e1fcd55";
    MULTICHAIN_LOG_ANY_SWAP_OUT = "LogAnySwapOut(address,address,address,uint256,uint256,uint256)"
        "97116cf6cd4f6412bb47914d6db18da9e16ab2142f543b86e207c24fbd16b23a";
    MULTICHAIN_LOG_ANY_SWAP_OUT_2 = "LogAnySwapOut(address,address,string,uint256,uint256,uint256)"
        "409e0ad946b19f77602d6cf11d59e1796ddaa4828159a0b4fb7fa2ff6b161b79";
    MULTICHAIN_LOG_SWAPIN = "LogSwapin(bytes32,address,uint256)"
        "05d0634fe981be85c22e2942a880821b70095d84e152c3ea3c17a4e4250d9d61";
    MULTICHAIN_LOG_SWAPOUT = "LogSwapout(address,address,uint256)"
        "6b616089d04950dc06c45c6dd787d657980543f89651aec47924752c7d16c888";
    MULTICHAIN_LOG_SWAPOUT_2 = "LogSwapout(address,string,uint256)"
        "cd30f70ef0709867add11bb8df95f1606581acb5692c4c5da1863268116acbe2";
    PRIVACY_POOLS_DEPOSITED = "Deposited(address,uint256,uint256,uint256,uint256)"
        "e3b53cd1a44fbf11535e145d80b8ef1ed6d57a73bf5daa7e939b6b01657d6549";
    PRIVACY_POOLS_WITHDRAWN = "Withdrawn(address,uint256,uint256,uint256)"
        "75e161b3e824b114fc1a33274bd7091918dd4e639cede50b78b15a4eea956a21";
    RAILGUN_NULLIFIED = "Nullified(uint16,bytes32[])"
        "781745c57906dc2f175fec80a9c691744c91c48a34a83672c41c2604774eb11f";
    RAILGUN_OLD_SHIELD = ""
        "c3821e11e71307afd1d94a490660178ff37aefdd3c0514e5dd08937bd7024f34";
    RAILGUN_SHIELD = "Shield(uint256,uint256,(bytes32,(uint8,address,uint256),uint120)[],(bytes32[3],bytes32)[],uint256[])"
        "3a5b9dc26075a3801a6ddccf95fec485bb7500a91b44cec1add984c21ee6db3b";
    RAILGUN_TRANSACT = "Transact(uint256,uint256,bytes32[],(bytes32[4],bytes32,bytes32,bytes,bytes)[])"
        "56a618cda1e34057b7f849a5792f6c8587a2dbe11c83d0254e72cb3daffda7d1";
    RAILGUN_UNSHIELD = "Unshield(address,(uint8,address,uint256),uint256,uint256)"
        "d93cf895c7d5b2cd7dc7a098b678b3089f37d91f48d9b83a0800a91cbdf05284";
    REN_LOG_BURN = "LogBurn(bytes,uint256,uint256,bytes)"
        "1619fc95050ffb8c94c9077c82b3e1ebbf8d571b6234241c55ba0aaf40da019e";
    REN_LOG_MINT = "LogMint(address,uint256,uint256,bytes32)"
        "a58ba939eb08dab7eaf8ad09c16e7405ee88e5153e15da62d5481296a9f727fa";
    SYNAPSE_BRIDGE_RELAYED = "BridgeRelayed(bytes32,address,address,uint32,address,address,uint256,uint256,uint256)"
        "f8ae392d784b1ea5e8881bfa586d81abf07ef4f1e2fc75f7fe51c90f05199a5c";
    SYNAPSE_BRIDGE_REQUESTED = "BridgeRequested(bytes32,address,bytes,uint32,address,address,uint256,uint256,bool)"
        "120ea0364f36cdac7983bcfdd55270ca09d7f9b314a2ebc425a3b01ab1d6403a";
    SYNAPSE_TOKEN_DEPOSIT = "TokenDeposit(address,uint256,address,uint256)"
        "da5273705dbef4bf1b902a131c2eac086b7e1476a8ab0cb4da08af1fe1bd8e3b";
    SYNAPSE_TOKEN_DEPOSIT_AND_SWAP = "TokenDepositAndSwap(address,uint256,address,uint256,uint8,uint8,uint256,uint256)"
        "79c15604b92ef54d3f61f0c40caab8857927ca3d5092367163b4562c1699eb5f";
    SYNAPSE_TOKEN_MINT = "TokenMint(address,address,uint256,uint256,bytes32)"
        "bf14b9fde87f6e1c29a7e0787ad1d0d64b4648d8ae63da21524d9fd0f283dd38";
    SYNAPSE_TOKEN_MINT_AND_SWAP = "TokenMintAndSwap(address,address,uint256,uint256,uint8,uint8,uint256,uint256,bool,bytes32)"
        "4f56ec39e98539920503fd54ee56ae0cbebe9eb15aa778f18de67701eeae7c65";
    SYNAPSE_TOKEN_REDEEM = "TokenRedeem(address,uint256,address,uint256)"
        "dc5bad4651c5fbe9977a696aadc65996c468cde1448dd468ec0d83bf61c4b57c";
    SYNAPSE_TOKEN_REDEEM_AND_REMOVE = "TokenRedeemAndRemove(address,uint256,address,uint256,uint8,uint256,uint256)"
        "9a7024cde1920aa50cdde09ca396229e8c4d530d5cfdc6233590def70a94408c";
    SYNAPSE_TOKEN_REDEEM_AND_SWAP = "TokenRedeemAndSwap(address,uint256,address,uint256,uint8,uint8,uint256,uint256)"
        "91f25e9be0134ec851830e0e76dc71e06f9dade75a9b84e9524071dbbc319425";
    SYNAPSE_TOKEN_REDEEM_V2 = "TokenRedeemV2(bytes32,uint256,address,uint256)"
        "8e57e8c5fea426159af69d47eda6c5052c7605c9f70967cf749d4aa55b70b499";
    SYNAPSE_TOKEN_WITHDRAW = "TokenWithdraw(address,address,uint256,uint256,bytes32)"
        "8b0afdc777af6946e53045a4a75212769075d30455a212ac51c9b16f9c5c9b26";
    SYNAPSE_TOKEN_WITHDRAW_AND_REMOVE = "TokenWithdrawAndRemove(address,address,uint256,uint256,uint8,uint256,uint256,bool,bytes32)"
        "c1a608d0f8122d014d03cc915a91d98cef4ebaf31ea3552320430cba05211b6d";
    TBTC_DEPOSITS_SWEPT = "DepositsSwept(bytes20,bytes32)"
        "e50ffdcc0a5f2c1ede5c122b9414ffd7b2c6bc870d2d775194049dc30da95e6a";
    TBTC_DEPOSIT_REVEALED = "DepositRevealed(bytes32,uint32,address,uint64,bytes8,bytes20,bytes20,bytes4,address)"
        "a7382159a693ed317a024daf0fd1ba30805cdf9928ee09550af517c516e2ef05";
    TBTC_MINTED = "Minted(address,uint256)"
        "30385c845b448a36257a6a1716e6ad2e1bc2cbe333cde1e69fe849ad6511adfe";
    TBTC_OPTIMISTIC_MINTING_DEBT_REPAID = "OptimisticMintingDebtRepaid(address,uint256)"
        "b30abd1b9e3d58cd8525b3d5c5aa002db1e43a150af5b172a8d16efcc7a141f8";
    TBTC_OPTIMISTIC_MINTING_FINALIZED = "OptimisticMintingFinalized(address,uint256,address,uint256)"
        "2cffebf26d639426e79514d100febae8b2c63e700e5dc0fa6c88a12963350636";
    TBTC_OPTIMISTIC_MINTING_REQUESTED = "OptimisticMintingRequested(address,uint256,address,uint256,bytes32,uint32)"
        "36f39c606d55d7dd2a05b8c4e41e9a6ca8c501cea10009c1762f6826a146e055";
    TBTC_REDEMPTIONS_COMPLETED = "RedemptionsCompleted(bytes20,bytes32)"
        "a45596c10f758d32ec8cca64a0fbfe776052b08fdb3f026e0a87f52118bf8fbe";
    TBTC_REDEMPTION_REQUESTED = "RedemptionRequested(bytes20,bytes,address,uint64,uint64,uint64)"
        "97a0199072f487232635d50ab75860891afe0b91c976ed2fc76502c4d82d0d95";
    TBTC_REDEMPTION_TIMED_OUT = "RedemptionTimedOut(bytes20,bytes)"
        "013dddc8debc4730cd01232fdcea9ae6013689837732356c187fe5edb9a8a8d5";
    THORCHAIN_DEPOSIT = "Deposit(address,address,uint256,string)"
        "ef519b7eb82aaf6ac376a6df2d793843ebfd593de5f1a0601d3cc6ab49ebb395";
    THORCHAIN_TRANSFER_ALLOWANCE = "TransferAllowance(address,address,address,uint256,string)"
        "05b90458f953d3fcb2d7fb25616a2fddeca749d0c47cc5c9832d0266b5346eea";
    THORCHAIN_TRANSFER_FAILED = "TransferFailed(address,address,address,uint256,string)"
        "a6a370fa655359af5f69091e908830c250b8daffb80f6b578741423ae4c47ab1";
    THORCHAIN_TRANSFER_OUT = "TransferOut(address,address,address,uint256,string)"
        "a9cd03aa3c1b4515114539cd53d22085129d495cb9e9f9af77864526240f1bf7";
    THORCHAIN_TRANSFER_OUT_AND_CALL = "TransferOutAndCall(address,address,uint256,address,address,uint256,string)"
        "8e5841bcd195b858d53b38bcf91b38d47f3bc800469b6812d35451ab619c6f6c";
    THORCHAIN_TRANSFER_OUT_AND_CALL_V2 = "TransferOutAndCallV2(address,address,address,uint256,address,address,uint256,string,bytes,string)"
        "de470d7c2e9c3282cad476e5ed6f05f74d68839c406573048f2dee22a8c452c7";
    THORCHAIN_TRANSFER_OUT_AND_CALL_V5 = "TransferOutAndCallV5(address,address,uint256,address,address,uint256,string,bytes,string)"
        "2eddeef6502e331d0dc63580be72ace0371d4f7ba4b164aa6b0f1565b53584da";
    THORCHAIN_VAULT_TRANSFER = "VaultTransfer(address,address,(address,uint256)[],string)"
        "281daef48d91e5cd3d32db0784f6af69cd8d8d2e8c612a3568dca51ded51e08f";
    TORNADO_DEPOSIT = "Deposit(bytes32,uint32,uint256)"
        "a945e51eec50ab98c161376f0db4cf2aeba3ec92755fe2fcd388bdbbb80ff196";
    TORNADO_NEW_COMMITMENT = "NewCommitment(bytes32,uint256,bytes)"
        "f3843eddcfcac65d12d9f26261dab50671fdbf5dc44441816c8bbdace2411afd";
    TORNADO_NEW_NULLIFIER = "NewNullifier(bytes32)"
        "5e58f77bbf94b46d8d896e29753e4458c6e59b48581e20ed58c9558e96f297ce";
    TORNADO_RELAYER_REGISTERED = "RelayerRegistered(bytes32,string,address,uint256)"
        "9ca7c9c762eff27b021608f232b4c4b8f9b8bf9a3d322297e47cc4209a67d5e2";
    TORNADO_RELAYER_REGISTERED_2 = "RelayerRegistered(address,string,address,uint256)"
        "777ba9f34368ae83536a081aff852d1175b6434731a241593ec4c0a5fec8a56c";
    TORNADO_REWARD_SWAP = "Swap(address,uint256,uint256)"
        "77f92a1b6a1a11de8ca49515ad4c1fad45632dd3442167d74b90b304a3c7a758";
    TORNADO_WITHDRAWAL = "Withdrawal(address,bytes32,address,uint256)"
        "e9e508bad6d4c3227e881ca19068f099da81b5164dd6d62b2eaf1e8bc6c34931";
    WBTC_BURNED = "Burned(uint256,address,uint256,string,uint256,bytes32)"
        "865e64c3fa22a0daee479fc02875d3e97d581930b9679232344d4d5dcce6a7b2";
    WBTC_BURN_CONFIRMED = "BurnConfirmed(uint256,address,uint256,string,string,uint256,bytes32)"
        "1949e77206780c38f7c6487c926f8a51280fcdbf63397a01a3428dbfccd2b09f";
    WBTC_MINT_CONFIRMED = "MintConfirmed(uint256,address,uint256,string,string,uint256,bytes32)"
        "051f4ba27061b0e6dc829669a7baa8bba9cf7f6cd2f95e1f0bdd9c22126d8b21";
    WBTC_MINT_REQUEST_ADD = "MintRequestAdd(uint256,address,uint256,string,string,uint256,bytes32)"
        "09e00024b3e14e42d4e78c05bf370a34c2e4ce4027dad38abafdb1bf49da432f";
    WORMHOLE_LOG_MESSAGE_PUBLISHED = "LogMessagePublished(address,uint64,uint32,bytes,uint8)"
        "6eb224fb001ed210e379b335e35efe88672a8ce935d981a6896b27ffdf52a3b2";
    WORMHOLE_NTT_TRANSFER_REDEEMED = "TransferRedeemed(bytes32)"
        "504e6efe18ab9eed10dc6501a417f5b12a2f7f2b1593aed9b89f9bce3cf29a91";
    WORMHOLE_TRANSFER_REDEEMED = "TransferRedeemed(uint16,bytes32,uint64)"
        "caf280c8cfeba144da67230d9b009c8f868a75bac9a528fa0474be1ba317c169";
}

/// True for an event that is kept.
pub fn is_kept(topic: &B256) -> bool {
    ALL.iter().any(|(_, kept)| kept == topic)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn every_topic_is_the_hash_of_its_signature() {
        for (signature, topic) in ALL.iter().filter(|(signature, _)| !signature.is_empty()) {
            assert_eq!(keccak256(signature), *topic, "{signature}");
        }
    }

    #[test]
    fn no_topic_stands_twice() {
        let distinct: BTreeSet<_> = ALL.iter().map(|(_, topic)| topic).collect();
        assert_eq!(distinct.len(), ALL.len());
    }
}
