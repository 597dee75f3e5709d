namespace Cloister.Serving.TextFormat;

/// <summary>A place in a document, for people: line and column start at 1 and count characters.</summary>
internal readonly record struct TextPosition(string Document, int Line, int Column)
{
    /// <summary>A refusal that says where.</summary>
    public ServingException Refusal(ServingError error, string reason) => new(error, $"{this}: {reason}");

    public override string ToString() => $"{Document}:{Line}:{Column}";
}
