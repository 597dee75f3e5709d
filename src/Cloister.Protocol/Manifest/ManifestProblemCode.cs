namespace Cloister.Protocol.Manifest;

/// <summary>What is wrong with a manifest. Numbers are stable, in the order MarbleRun checks, and never reused.</summary>
public enum ManifestProblemCode
{
    /// <summary>Larger than <see cref="ManifestReader.MaxBytes"/>.</summary>
    TooLarge = 100,
    /// <summary>Not JSON.</summary>
    Syntax = 101,
    /// <summary>A member has another JSON type, or a number is out of range.</summary>
    WrongType = 102,
    /// <summary>A file's or variable's encoding is unknown or its data does not decode.</summary>
    BadEncoding = 103,
    /// <summary>Cloister: a member that this format does not have.</summary>
    UnknownMember = 104,
    /// <summary>Cloister: a member that appears twice.</summary>
    RepeatedMember = 105,

    /// <summary>No package.</summary>
    NoPackages = 200,
    /// <summary>No marble.</summary>
    NoMarbles = 201,
    /// <summary>A marble names a package that is not there.</summary>
    MarblePackageMissing = 202,
    /// <summary>A package has a unique id and signer properties.</summary>
    PackageOverspecified = 203,
    /// <summary>A package has no full identity.</summary>
    PackageUnderspecified = 204,
    /// <summary>A marble names a TLS tag that is not there.</summary>
    TlsTagMissing = 205,
    /// <summary>A TLS entry is incomplete or contradicts itself.</summary>
    TlsEntryWrong = 206,
    /// <summary>A user has no certificate.</summary>
    UserCertificateMissing = 207,
    /// <summary>A user has a role that is not there.</summary>
    UserRoleMissing = 208,
    /// <summary>Two users have the same certificate.</summary>
    UserCertificateRepeated = 209,
    /// <summary>A role names a resource that is not there.</summary>
    RoleResourceMissing = 210,
    /// <summary>A role has an action that its resource type does not know.</summary>
    RoleActionUnknown = 211,
    /// <summary>A role may write a secret that is generated, or read one that each marble has its own of.</summary>
    RoleSecretWrong = 212,
    /// <summary>A role for the manifest names resources.</summary>
    RoleResourceNamesNotAllowed = 213,
    /// <summary>A role's resource type is unknown.</summary>
    RoleResourceTypeUnknown = 214,
    /// <summary>A certificate secret says its end twice.</summary>
    SecretLifetimeTwice = 215,
    /// <summary>A secret's type is unknown.</summary>
    SecretTypeUnknown = 216,
    /// <summary>Too few users may update the manifest.</summary>
    UpdateThresholdTooHigh = 217,
    /// <summary>The seal mode is unknown.</summary>
    SealModeUnknown = 218,
    /// <summary>A feature gate is unknown.</summary>
    FeatureGateUnknown = 219,
    /// <summary>The recovery threshold does not fit the recovery keys.</summary>
    RecoveryThresholdWrong = 220,

    /// <summary>A secret's size does not fit its type.</summary>
    SecretSizeWrong = 300,
    /// <summary>A plain secret that no user uploads.</summary>
    SecretPlainGenerated = 301,
    /// <summary>A certificate template asks for what cannot be made.</summary>
    SecretCertificateWrong = 302,
    /// <summary>A recovery key is not an RSA public key in PEM.</summary>
    RecoveryKeyWrong = 303,
    /// <summary>A user's certificate cannot be read.</summary>
    UserCertificateWrong = 304,
    /// <summary>A template cannot be rendered, or an environment variable holds a NUL.</summary>
    TemplateWrong = 305,

    /// <summary>Cloister: a package's policy is wrong.</summary>
    PackagePolicyWrong = 400,
    /// <summary>Cloister: a package has a policy and MarbleRun's SGX properties.</summary>
    PackagePolicyAndProperties = 401,
    /// <summary>Cloister: an SGX identity is not hex of 32 bytes.</summary>
    PackageIdentityWrong = 402,
    /// <summary>Cloister: a marble names a model that is not there, or one twice.</summary>
    MarbleModelWrong = 410,
    /// <summary>Cloister: a model's digest is not 64 lower-case hex digits.</summary>
    ModelDigestWrong = 420,
    /// <summary>Cloister: a model's maker key is not an Ed25519 or P-256 SubjectPublicKeyInfo in base64.</summary>
    ModelMakerKeyWrong = 421,
    /// <summary>Cloister: a model's secret is not there, or not a user-defined symmetric key of 256 bits.</summary>
    ModelSecretWrong = 422,
    /// <summary>Cloister: a model's minimum version is out of range.</summary>
    ModelVersionWrong = 423,
    /// <summary>Cloister: no marble may open the model.</summary>
    ModelUnused = 424,
    /// <summary>Cloister: a model's mode is unknown, or not built.</summary>
    ModelModeWrong = 425,
    /// <summary>Cloister: what is demanded of a partitioned model's report is wrong, or of a model that is not partitioned.</summary>
    ModelPartitionWrong = 426,
    /// <summary>Cloister: nothing is demanded of a partitioned model's report.</summary>
    ModelPartitionUnbounded = 427,
    /// <summary>Cloister: a caller has no credential, more than one, or one that cannot be read.</summary>
    CallerCredentialWrong = 430,
    /// <summary>Cloister: two callers have the same credential.</summary>
    CallerCredentialRepeated = 431,
    /// <summary>Cloister: a caller names a model that is not there, one twice, or none.</summary>
    CallerModelWrong = 432,
    /// <summary>Cloister: a caller's token names an issuer that is not there, or no claim.</summary>
    CallerTokenWrong = 433,
    /// <summary>Cloister: a caller's certificate rule has no authority, no name, or one that cannot be read.</summary>
    CallerCertificateRuleWrong = 434,
    /// <summary>Cloister: a quota limits nothing, contradicts itself, or names a model that is not the caller's.</summary>
    QuotaWrong = 435,
    /// <summary>Cloister: a caller administers what this format does not know.</summary>
    CallerAdministersWrong = 436,
    /// <summary>Cloister: the anonymous models name one that is not there, or one twice.</summary>
    AnonymousModelWrong = 440,
    /// <summary>Cloister: a token issuer has no name or audience, or the same name as another.</summary>
    TokenIssuerWrong = 441,
    /// <summary>Cloister: a token issuer's keys cannot be used, or there are none.</summary>
    TokenIssuerKeysWrong = 442,
    /// <summary>Cloister: no caller uses the token issuer.</summary>
    TokenIssuerUnused = 443,
    /// <summary>Cloister: a template uses a secret that is not there.</summary>
    TemplateSecretMissing = 450,
}
