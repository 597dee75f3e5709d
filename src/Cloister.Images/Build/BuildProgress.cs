namespace Cloister.Images.Build;

/// <summary>What building does, in this order.</summary>
public enum BuildStage
{
    /// <summary>Packages are downloaded.</summary>
    Fetch,

    /// <summary>Sources are read and unpacked.</summary>
    Unpack,

    /// <summary>The root's filesystem is written.</summary>
    Root,

    /// <summary>The tree that proves the root's blocks is computed.</summary>
    Verity,

    /// <summary>Kernel, initrd and command line are joined.</summary>
    Kernel,

    /// <summary>What a TPM will show is predicted.</summary>
    Measure,
}

/// <summary>How far building is.</summary>
/// <param name="Stage">What it does.</param>
/// <param name="Done">Units done; bytes, where a stage has bytes.</param>
/// <param name="Total">Units in all; 0 if that is not known.</param>
/// <param name="What">What it works on, for people; null if there is nothing to name.</param>
public sealed record BuildProgress(BuildStage Stage, long Done = 0, long Total = 0, string? What = null);
