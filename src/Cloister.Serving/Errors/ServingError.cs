namespace Cloister.Serving;

/// <summary>Why serving refused something. The numbers are stable and append-only; each surface maps them to its own status.</summary>
public enum ServingError
{
    /// <summary>The body is not the JSON that the surface reads.</summary>
    MalformedJson = 100,

    /// <summary>A member is missing, unknown, repeated or of the wrong kind.</summary>
    InvalidRequest = 101,

    /// <summary>A tensor's shape or its number of values is not what the model takes.</summary>
    WrongShape = 102,

    /// <summary>A tensor's datatype, or a value in it, is not what the model takes.</summary>
    WrongType = 103,

    /// <summary>The request names an input that the model does not have.</summary>
    UnknownInput = 104,

    /// <summary>The request lacks an input of the model.</summary>
    MissingInput = 105,

    /// <summary>The request asks for an output that the model does not have.</summary>
    UnknownOutput = 106,

    /// <summary>A picture could not be read or is not of the size the model takes.</summary>
    PictureRefused = 107,

    /// <summary>The body is larger than the model's limit.</summary>
    TooLarge = 108,

    /// <summary>The content encoding or media type is not one that is read here.</summary>
    UnsupportedEncoding = 109,

    /// <summary>The protocol knows the operation; this server or model does not offer it.</summary>
    Unsupported = 110,

    /// <summary>The body did not arrive completely or in time.</summary>
    IncompleteBody = 111,

    /// <summary>The model has no signature of this name.</summary>
    SignatureNotFound = 112,

    /// <summary>No version of the model has this label.</summary>
    UnknownLabel = 113,

    /// <summary>The binary data of a request does not add up: its header's length, a tensor's size, the lengths of texts, or bytes that are left.</summary>
    BinaryDataRefused = 120,

    /// <summary>A parameter that the protocol knows asks for what this server does not do, such as sequences or shared memory.</summary>
    ParameterRefused = 121,

    /// <summary>The setting (trace, log, shared memory, generation) is not one that requests may read or change here.</summary>
    SettingRefused = 123,

    /// <summary>No caller was recognised and the model is not open to anonymous use.</summary>
    Unauthenticated = 200,

    /// <summary>The caller is known, but may not use this model.</summary>
    Forbidden = 201,

    /// <summary>A credential was sent and is not taken: unknown, expired, of another issuer, malformed.</summary>
    CredentialRefused = 202,

    /// <summary>The caller is known, but may not administer models.</summary>
    NotAdministrator = 203,

    /// <summary>The caller's quota is used up; try again later.</summary>
    QuotaExceeded = 204,

    /// <summary>The keys of a token's issuer are not at hand, so that nobody can say whether the token is good.</summary>
    KeysUnavailable = 205,

    /// <summary>No model of this name is served here.</summary>
    ModelNotFound = 300,

    /// <summary>The model is served, but not in this version.</summary>
    VersionNotFound = 301,

    /// <summary>The model is not ready; the text says why.</summary>
    ModelUnavailable = 302,

    /// <summary>What is served was fixed when the server started.</summary>
    ChangesNotAllowed = 303,

    /// <summary>The manifest does not grant the model that a plan names.</summary>
    ModelNotGranted = 304,

    /// <summary>A label names a version that is not available.</summary>
    LabelRefused = 305,

    /// <summary>A plan contradicts itself.</summary>
    PlanRefused = 306,

    /// <summary>A plan is in force, but a version that it wants is not available.</summary>
    PlanIncomplete = 307,

    /// <summary>The model's queue is full; try again later.</summary>
    Overloaded = 400,

    /// <summary>The prediction's deadline passed.</summary>
    DeadlineExceeded = 401,

    /// <summary>The caller gave up before the answer.</summary>
    Cancelled = 402,

    /// <summary>The server is stopping.</summary>
    Stopping = 403,

    /// <summary>The request has more items than the model takes at once, and the model's batching does not split requests.</summary>
    BatchTooLarge = 404,

    /// <summary>The engine failed while predicting.</summary>
    EngineFailed = 500,

    /// <summary>The store has no sealed file of the model's name.</summary>
    SealedFileMissing = 600,

    /// <summary>The sealed file could not be read from the store.</summary>
    StoreUnreadable = 601,

    /// <summary>The sealed file was refused: tampered, truncated, other maker, wrong key, older version, other digest.</summary>
    SealedFileRefused = 602,

    /// <summary>The sealed file lacks an entry, or has one that has no meaning in a model.</summary>
    EntryRefused = 603,

    /// <summary>The sealed configuration is not valid.</summary>
    ConfigurationRefused = 604,

    /// <summary>The sealed labels are not valid.</summary>
    LabelsRefused = 605,

    /// <summary>The ONNX model was refused by the engine.</summary>
    ModelRefused = 606,

    /// <summary>The grant of the model (name, digest, maker's key) is not valid.</summary>
    GrantRefused = 607,

    /// <summary>The number in a file's or folder's name is not the version that the maker signed, or two files claim the same one.</summary>
    VersionMismatch = 608,

    /// <summary>A version failed the maker's own warm-up requests.</summary>
    WarmUpFailed = 609,

    /// <summary>The system does not let the process lock its memory, which its options ask for.</summary>
    MemoryNotLocked = 610,

    /// <summary>A settings file is not protobuf text format; the text says where.</summary>
    SettingsMalformed = 700,

    /// <summary>A settings file has a field that is unknown, repeated, of the wrong type or not possible here; the text says where.</summary>
    SettingsRefused = 701,

    /// <summary>A settings file could not be read.</summary>
    SettingsUnreadable = 702,

    /// <summary>A flag is unknown, lacks its value or contradicts another.</summary>
    FlagRefused = 703,

    /// <summary>What was sent to an encrypted model is no envelope, or one that holds no query.</summary>
    EnvelopeMalformed = 720,

    /// <summary>An envelope does not open: its key is unknown or has expired, or it was changed. Register the key again.</summary>
    EnvelopeRefused = 721,

    /// <summary>The query is for another model, or another version of it, than is served.</summary>
    OtherModelServed = 722,

    /// <summary>The query is of another caller than the one who sends it.</summary>
    OtherOwner = 723,

    /// <summary>A query's envelope is good, but what is in it does not fit the model: parameters, layout, lengths, rows.</summary>
    QueryRefused = 724,

    /// <summary>The sealed compiled model was refused.</summary>
    CompiledModelRefused = 725,

    /// <summary>The manifest's master of envelope keys is none.</summary>
    EnvelopeMasterRefused = 726,

    /// <summary>The report of a partitioned model is malformed, or signed by another assessor than is expected.</summary>
    PartitionReportRefused = 730,

    /// <summary>The parts of a partitioned model are not those of its report, do not fit together, or cannot be served in parts.</summary>
    PartitionRefused = 731,

    /// <summary>The report of a partitioned model lacks a score that the manifest demands, or has a lower one.</summary>
    PartitionScoreTooLow = 732,

    /// <summary>The sealed model is not served in the mode that the manifest names.</summary>
    ModeRefused = 733,

    /// <summary>The model is served in parts, and this server was given no accelerator.</summary>
    AcceleratorMissing = 734,

    /// <summary>No accelerator gave an answer that could be used; try again.</summary>
    AcceleratorFailed = 735,
}
