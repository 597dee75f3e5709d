namespace Cloister.Partitioning;

/// <summary>Why something was refused. The numbers are stable: 1xx pictures and assessment, 2xx reports, 3xx the accelerator.</summary>
public enum PartitioningError
{
    /// <summary>A picture, or a file of pictures, cannot be read, or there are too few.</summary>
    PicturesRefused = 100,

    /// <summary>The model's inputs or outputs are not what an assessment needs; the text says what is.</summary>
    ModelRefused = 101,

    /// <summary>A report is malformed.</summary>
    ReportRefused = 200,
}
