namespace Cloister.Coordinator.Stores;

/// <summary>Why a store cannot be used. Numbers are stable and never reused.</summary>
public enum StoreError
{
    /// <summary>The file is not a state file, is cut off or changed.</summary>
    Corrupt = 100,
    /// <summary>The file was written by a newer program.</summary>
    NewerFormat = 101,
    /// <summary>Larger than the format allows.</summary>
    TooLarge = 102,
    /// <summary>The data key does not open the state.</summary>
    WrongKey = 200,
    /// <summary>Records were removed, added, exchanged or taken from another time.</summary>
    Mixed = 201,
    /// <summary>The storage failed before anything changed; the commit may be repeated.</summary>
    WriteFailed = 300,
    /// <summary>The storage failed where the outcome is unknown; the store must be opened anew.</summary>
    Faulted = 301,
    /// <summary>Another process holds the store.</summary>
    InUse = 302,
    /// <summary>Other writers kept winning.</summary>
    Contended = 303,
}

/// <summary>A store that cannot be read or written; the text says what happened and what to do next.</summary>
public sealed class StoreException(StoreError error, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The stable reason.</summary>
    public StoreError Error { get; } = error;
}
