namespace Cloister.Serving.Repository;

/// <summary>Where one version of a model stands.</summary>
/// <param name="Version">The version that the maker signed; 0 while it is not known, for it stands inside the sealed file.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Reason">Why it was refused; null unless it was.</param>
internal readonly record struct VersionStatus(long Version, ModelVersionState State, ServingException? Reason = null);
