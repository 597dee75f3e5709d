namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// The version of SEAL that an object names in its header. SEAL reads objects of its own version, and some of older ones; node-seal 7 reads those of 4.1
/// alone. So an answer carries the version of the question.
/// </summary>
/// <param name="Major">4.</param>
/// <param name="Minor">0 to 4.</param>
public readonly record struct SealVersion(byte Major, byte Minor)
{
    /// <summary>What node-seal 7 writes, and the only one it reads.</summary>
    public static SealVersion NodeSeal7 => new(4, 1);

    /// <summary>Whether objects of this version have the layout that is read and written here: all of 4.x so far.</summary>
    public bool IsSupported => Major == 4 && Minor <= 4;

    /// <inheritdoc/>
    public override string ToString() => $"{Major}.{Minor}";
}
