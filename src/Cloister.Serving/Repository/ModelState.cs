namespace Cloister.Serving;

/// <summary>Where a model stands on its way to be served.</summary>
public enum ModelState
{
    /// <summary>It is being opened.</summary>
    Loading,

    /// <summary>It answers.</summary>
    Ready,

    /// <summary>It was refused; the reason says why and what to do.</summary>
    Unavailable,
}
