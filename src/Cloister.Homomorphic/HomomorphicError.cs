namespace Cloister.Homomorphic;

/// <summary>Why parameters or data were refused. Numbers are stable and append-only: 1xx parameters, 2xx ciphertexts, 3xx wire, 4xx models.</summary>
public enum HomomorphicError
{
    /// <summary>The ring degree is no power of two between 1024 and 32768.</summary>
    DegreeNotSupported = 100,

    /// <summary>A modulus has more than 49 bits, or fewer than a prime for this degree can have.</summary>
    ModulusSize = 101,

    /// <summary>A modulus is not prime.</summary>
    ModulusNotPrime = 102,

    /// <summary>A modulus is not 1 modulo twice the degree, so that the ring has no number-theoretic transform over it.</summary>
    ModulusHasNoTransform = 103,

    /// <summary>The same modulus stands twice in a chain.</summary>
    ModulusRepeated = 104,

    /// <summary>A chain has no modulus, or more than 40.</summary>
    ChainLength = 105,

    /// <summary>The product of the moduli exceeds what the security level allows at this degree (ePrint 2024/463, table 5.2).</summary>
    InsecureParameters = 106,

    /// <summary>The tables have no entry for this degree at this security level.</summary>
    NotInTables = 107,

    /// <summary>There are fewer primes of this size than were asked for.</summary>
    NotEnoughPrimes = 108,

    /// <summary>The plaintext modulus is below 2, above 49 bits, or has a factor in common with the ciphertext's moduli.</summary>
    PlaintextModulus = 109,

    /// <summary>A chain cannot have this many special moduli: none or one, and at least one other.</summary>
    SpecialModulus = 110,

    /// <summary>The parameters have no special modulus, which keys that relinearise or rotate need.</summary>
    NoSpecialModulus = 111,

    /// <summary>The result would be a ciphertext that anybody can read: its second part would be zero.</summary>
    Transparent = 200,

    /// <summary>There is no modulus left to drop.</summary>
    NoModulusLeft = 201,

    /// <summary>There is no Galois key for this rotation.</summary>
    NoGaloisKey = 202,

    /// <summary>A ciphertext has three parts where two are wanted: it is a product that was not relinearised.</summary>
    NotRelinearized = 203,

    /// <summary>Two ciphertexts, or a ciphertext and a key or plaintext, were made with other parameters.</summary>
    OtherParameters = 204,

    /// <summary>Two ciphertexts have different moduli: one lost more of them than the other.</summary>
    OtherModuli = 205,

    /// <summary>What should begin with SEAL's header does not, or its reserved bytes are not zero.</summary>
    SealHeader = 300,

    /// <summary>A SEAL object is of a version that is not understood, or a part of it is of another than the whole.</summary>
    SealVersion = 301,

    /// <summary>A SEAL object is compressed by a method that is not understood.</summary>
    SealCompression = 302,

    /// <summary>The compressed body of a SEAL object is damaged, or larger than such an object can be.</summary>
    SealInflation = 303,

    /// <summary>A SEAL object ends before its parts do.</summary>
    SealTruncated = 304,

    /// <summary>Bytes follow a SEAL object.</summary>
    SealTrailing = 305,

    /// <summary>A SEAL object is of another scheme than BFV.</summary>
    SealScheme = 306,

    /// <summary>The parms_id of a SEAL object is none of the parameters'.</summary>
    SealParametersId = 307,

    /// <summary>A SEAL object is at the level of the keys where one of the data is due, or the other way round.</summary>
    SealLevel = 308,

    /// <summary>A SEAL object holds coefficients where values after the transform are due, or the other way round.</summary>
    SealForm = 309,

    /// <summary>A SEAL object has another number of polynomials, coefficients or moduli than its parameters and kind ask for.</summary>
    SealSize = 310,

    /// <summary>A SEAL object has a scale or a correction factor other than 1, as only CKKS and BGV have.</summary>
    SealScale = 311,

    /// <summary>A SEAL object has another number of residues than its sizes ask for.</summary>
    SealCount = 312,

    /// <summary>A residue in a SEAL object is not below its modulus.</summary>
    SealResidue = 313,

    /// <summary>The seed in a SEAL object is for a generator that is not understood, or not to be had on this platform.</summary>
    SealGenerator = 314,

    /// <summary>A SEAL secret key is not the transform of one polynomial of -1, 0 and 1.</summary>
    SealSecret = 315,

    /// <summary>SEAL switching keys have other dimensions than the parameters ask for, or more keys than are allowed.</summary>
    SealSwitchingKeys = 316,

    /// <summary>A SEAL ciphertext can be read without the key: all its parts but the first are zero.</summary>
    SealTransparent = 317,

    /// <summary>The bytes are not of the format that was expected: they begin otherwise.</summary>
    WireMagic = 320,

    /// <summary>The format's version is not known to this program.</summary>
    WireVersion = 321,

    /// <summary>Reserved bytes, flags or filling bits are not zero.</summary>
    WireReserved = 322,

    /// <summary>The bytes end before their layout does.</summary>
    WireTruncated = 323,

    /// <summary>Bytes follow after the layout's end.</summary>
    WireTrailing = 324,

    /// <summary>A number asks for more than is ever allowed.</summary>
    WireOversized = 325,

    /// <summary>The object was made with other parameters.</summary>
    WireParameters = 326,

    /// <summary>The object is for another model, or another version of it.</summary>
    WireModel = 327,

    /// <summary>A residue is not below its modulus.</summary>
    WireResidue = 328,

    /// <summary>Two ciphertexts, or a ciphertext and the public key, have one seed: their difference would be readable without the key.</summary>
    WireSeedRepeated = 329,

    /// <summary>The number of rows is none, too large, or not what was asked.</summary>
    WireRows = 330,

    /// <summary>The number or shape of ciphertexts does not fit the model's layout.</summary>
    WireLayout = 331,

    /// <summary>A public key is missing where the model hides itself in its answers, or is there where it does not.</summary>
    WirePublicKey = 332,

    /// <summary>The envelope carries something else than was expected.</summary>
    EnvelopeKind = 333,

    /// <summary>The envelope is for another model, or another version of it.</summary>
    EnvelopeModel = 334,

    /// <summary>The envelope is of another client's key.</summary>
    EnvelopeKeyId = 335,

    /// <summary>The envelope is another caller's.</summary>
    EnvelopeOwner = 336,

    /// <summary>The envelope answers another request.</summary>
    EnvelopeRequest = 337,

    /// <summary>The envelope was changed, or sealed under another key.</summary>
    EnvelopeNotAuthentic = 338,

    /// <summary>A key file does not open: another passphrase, or the file was changed.</summary>
    KeyFilePassphrase = 339,

    /// <summary>A key file's iterations of PBKDF2 are fewer than is safe or more than is bearable.</summary>
    KeyFileIterations = 340,

    /// <summary>A key file's content contradicts itself.</summary>
    KeyFileContent = 341,

    /// <summary>A client specification is not readable, or says something impossible.</summary>
    Specification = 400,

    /// <summary>A compiled model's file is not readable, or contradicts itself.</summary>
    CompiledModel = 401,

    /// <summary>A compiled model's file is of a version or a design that this program does not know.</summary>
    CompiledModelVersion = 402,

    /// <summary>A query does not have the model's layout.</summary>
    QueryLayout = 403,

    /// <summary>A query lacks the public key that the model needs, or brings one that it has no use for.</summary>
    QueryPublicKey = 404,

    /// <summary>An answer does not have the model's layout.</summary>
    AnswerLayout = 405,

    /// <summary>A row has another number of features than the model.</summary>
    FeatureCount = 406,

    /// <summary>A feature is absent, or not finite, and the model needs a number.</summary>
    FeatureNotFinite = 407,

    /// <summary>A model in the clear has weights that are not finite, or not one for every feature.</summary>
    ModelShape = 408,

    /// <summary>A model has more features or scores than the design can hold.</summary>
    ModelSize = 409,

    /// <summary>A calibration table has no rows, rows of another width, or numbers that are not finite.</summary>
    Calibration = 410,

    /// <summary>The parameters have no room for the model: decryption could not be made certain.</summary>
    NoRoom = 411,

    /// <summary>A path through a tree asks more questions than the design can hold.</summary>
    ForestDepth = 420,

    /// <summary>A forest has more leaves than the design can hold.</summary>
    ForestLeaves = 421,

    /// <summary>A feature of a forest needs more levels than the design can hold.</summary>
    ForestLevels = 422,

    /// <summary>A forest's scores are too large or too small to be scaled.</summary>
    ForestScores = 423,

    /// <summary>No prediction comes out of an answer: it is for another key, of another model, or was changed.</summary>
    NoPrediction = 424,
}
