namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>A component in a scan, with its codes.</summary>
internal sealed class JpegScanComponent(JpegComponent component, int dcTable, int acTable)
{
    private JpegHuffman? _dc, _ac;

    public JpegComponent Component => component;

    /// <summary>Codes for first coefficients.</summary>
    public JpegHuffman Dc => _dc!;

    /// <summary>Codes for the other coefficients.</summary>
    public JpegHuffman Ac => _ac!;

    /// <summary>What the next first coefficient is told as the difference to.</summary>
    public int Prediction { get; set; }

    /// <summary>Takes the tables that are in force and that the scan uses.</summary>
    public void Take(JpegTables tables, bool dc, bool ac)
    {
        component.Quantization ??= tables.Quantization(component.QuantizationTable);
        if (dc)
            _dc = tables.Dc(dcTable);
        if (ac)
            _ac = tables.Ac(acTable);
    }
}
