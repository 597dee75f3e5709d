namespace Cloister.Sealing;

/// <summary>Why sealed data was refused. Numbers are stable and append-only: 1xx format, 2xx integrity, 3xx key, 4xx signature and trust, 5xx platform.</summary>
public enum SealingError
{
    /// <summary>The bytes do not begin with the magic of a sealed file.</summary>
    NotASealedFile = 100,

    /// <summary>The format version is one that this program does not know.</summary>
    UnknownVersion = 101,

    /// <summary>The content algorithm is one that this program does not know.</summary>
    UnknownAlgorithm = 102,

    /// <summary>The header says that it is larger than 1 MiB, or smaller than its fixed part.</summary>
    HeaderSize = 103,

    /// <summary>The header's inner lengths do not add up, or bytes are left over.</summary>
    MalformedHeader = 104,

    /// <summary>The chunk size is not the one of this format version.</summary>
    UnknownChunkSize = 105,

    /// <summary>More entries than a sealed file may have.</summary>
    TooManyEntries = 106,

    /// <summary>A sealed file has at least one entry.</summary>
    NoEntries = 107,

    /// <summary>Two entries have the same name (letter case aside), or one is the folder of another.</summary>
    DuplicateEntryName = 108,

    /// <summary>An entry's name is empty.</summary>
    EmptyEntryName = 109,

    /// <summary>An entry's name is not a plain relative path.</summary>
    UnsafeEntryName = 110,

    /// <summary>The content's name is empty, too long or not printable ASCII.</summary>
    InvalidContentName = 111,

    /// <summary>The content's version is negative.</summary>
    InvalidContentVersion = 112,

    /// <summary>The content is longer than 1 TiB, or an entry's length is negative.</summary>
    ContentSize = 113,

    /// <summary>The file ends before its content does.</summary>
    Truncated = 114,

    /// <summary>The file goes on after its content.</summary>
    TrailingBytes = 115,

    /// <summary>While sealing: a source held more or fewer bytes than its declared length.</summary>
    SourceLength = 116,

    /// <summary>The table of chunk hashes does not lead to the tree root that the maker signed.</summary>
    TreeMismatch = 200,

    /// <summary>A chunk's bytes are not those that the maker signed.</summary>
    ChunkChanged = 201,

    /// <summary>A chunk's authentication tag does not match.</summary>
    ChunkTag = 202,

    /// <summary>An HPKE ciphertext is too short, or its authentication tag does not match.</summary>
    HpkeCiphertext = 203,

    /// <summary>The HPKE context has used up its sequence numbers.</summary>
    HpkeMessageLimit = 204,

    /// <summary>The key does not have the length that is needed.</summary>
    KeyLength = 300,

    /// <summary>The file was sealed under another key: the key id differs.</summary>
    WrongKey = 301,

    /// <summary>The key has the file's key id but does not yield its key commitment.</summary>
    KeyCommitment = 302,

    /// <summary>A public key is not a valid point of its curve.</summary>
    InvalidPublicKey = 303,

    /// <summary>A private key is malformed or outside its range.</summary>
    InvalidPrivateKey = 304,

    /// <summary>A key agreement gave the all-zero secret: the peer's key has low order.</summary>
    WeakSharedSecret = 305,

    /// <summary>A share of a secret is too short, has no valid x coordinate, or does not fit the others.</summary>
    MalformedShare = 306,

    /// <summary>Two shares of a secret have the same x coordinate.</summary>
    DuplicateShare = 307,

    /// <summary>The signature algorithm is one that this program does not know.</summary>
    UnknownSignatureAlgorithm = 400,

    /// <summary>The maker's public key is malformed.</summary>
    MalformedMakerKey = 401,

    /// <summary>The file was signed by another maker than the trusted one.</summary>
    ForeignMaker = 402,

    /// <summary>The maker's signature is not valid.</summary>
    BadSignature = 403,

    /// <summary>The file's digest is not the expected one.</summary>
    OtherDigest = 404,

    /// <summary>The content has another name than the expected one.</summary>
    OtherName = 405,

    /// <summary>The content's version is older than the minimum.</summary>
    VersionTooOld = 406,

    /// <summary>The cryptographic library refused an operation that should succeed.</summary>
    PlatformFailure = 500,
}
