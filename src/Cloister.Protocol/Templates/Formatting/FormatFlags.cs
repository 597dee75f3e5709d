namespace Cloister.Protocol.Templates.Formatting;

/// <summary>Flags, width and precision of one verb of Go's fmt.</summary>
internal struct FormatFlags
{
    public bool Plus, Minus, Sharp, Space, Zero, HasWidth, HasPrecision;

    /// <summary>%+v and %#v.</summary>
    public bool PlusV, SharpV;

    public int Width, Precision;
}
