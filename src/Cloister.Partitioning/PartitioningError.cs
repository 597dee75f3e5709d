namespace Cloister.Partitioning;

/// <summary>Why something was refused. The numbers are stable: 1xx pictures and assessment, 2xx reports, 3xx the accelerator.</summary>
public enum PartitioningError
{
    /// <summary>A picture, or a file of pictures, cannot be read, or there are too few.</summary>
    PicturesRefused = 100,

    /// <summary>The model's inputs or outputs are not what an assessment needs; the text says what is.</summary>
    ModelRefused = 101,

    /// <summary>Features are not finite, all constant, or too dependent on each other to be fitted.</summary>
    FeaturesRefused = 120,

    /// <summary>There are too few pictures or texts to fit an attack, or to judge it.</summary>
    TooFewSamples = 121,

    /// <summary>The same picture, a near copy of it, or the same text stands twice: a test on what was fitted says nothing.</summary>
    SamplesOverlap = 122,

    /// <summary>The cut's tensors, or the model's input, are none that this attack works on; the text says what it needs.</summary>
    CutRefused = 123,

    /// <summary>The attack does not find everything where everything is given, or finds something where nothing is: its verdict is void.</summary>
    CalibrationFailed = 124,

    /// <summary>A second classifier is not what an attack needs: one input of a picture's shape, answers of two classes or more, all finite.</summary>
    ClassifierRefused = 130,

    /// <summary>Names of classes do not fit the answers they name.</summary>
    LabelsRefused = 131,

    /// <summary>A graph has no gradient here: an operator without a rule (the text names it), or nothing that depends on the input.</summary>
    GradientRefused = 135,

    /// <summary>Weights cannot be compared or run: they lie in other files, are missing, or a picture does not fit the model.</summary>
    WeightsRefused = 136,

    /// <summary>A report is malformed.</summary>
    ReportRefused = 200,

    /// <summary>An assessment is not of this model, this cut or this tail, or is invalid: it says nothing of the partition.</summary>
    AssessmentRefused = 201,

    /// <summary>The text is no address of an accelerator; the message says what one looks like.</summary>
    AddressRefused = 300,

    /// <summary>The part for the accelerator cannot be run there: it has free dimensions, texts, or shapes that do not follow the batch.</summary>
    BackNetRefused = 301,

    /// <summary>Too many requests wait for an accelerator already.</summary>
    AcceleratorOverloaded = 302,

    /// <summary>No accelerator answered within the request's time.</summary>
    AcceleratorTimeout = 303,

    /// <summary>No accelerator is connected, or each was turned away for good, and the model does not run inside instead.</summary>
    AcceleratorUnavailable = 304,

    /// <summary>Accelerators failed the request as often as it may be tried; the message says what and where.</summary>
    AcceleratorFaulty = 305,

    /// <summary>The address cannot be listened on, or cannot be used on this system.</summary>
    AddressUnusable = 307,

    /// <summary>The model gives NaN or an infinity for this input, inside too; no answer is made of it.</summary>
    AnswerNotFinite = 306,

    /// <summary>An accelerator is to be reached by TLS, and its address does not say by which key it is known.</summary>
    PinMissing = 308,

    /// <summary>An accelerator's certificate has no private key, or none that TLS 1.3 takes.</summary>
    CertificateRefused = 309,

    /// <summary>One accelerator is named twice: turned away as a liar under one name, it would be asked under the other.</summary>
    AcceleratorNamedTwice = 310,
}
