namespace Cloister.Serving.Repository;

/// <summary>A sealed file in the store that claims to be a version of a model. Nothing of it is checked.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Name">How it is called in texts: relative to the store, so that no text tells where the store is.</param>
/// <param name="Number">Its version, from its folder's or its own name, else from its header; 0 where neither says.</param>
/// <param name="IsNamed">Whether the number is in the file's or folder's name; then it must be the one that the maker signed.</param>
/// <param name="Stamp">Which file it is.</param>
internal sealed record StoredVersion(string Path, string Name, long Number, bool IsNamed, FileStamp Stamp);
