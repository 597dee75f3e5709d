namespace Cloister.Tests.Tpm;

/// <summary>A fact that needs a software TPM and tpm2-tools, and is skipped, with the reason, where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SwtpmFactAttribute : FactAttribute
{
    /// <param name="needsData">Whether it needs the shared test data too.</param>
    public SwtpmFactAttribute(bool needsData = false) => Skip = Swtpm.Missing ?? (needsData && TestData.Folder is null ? "Shared test data is absent: set CLOISTER_TESTDATA to its folder." : null);
}

/// <summary>As <see cref="SwtpmFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SwtpmTheoryAttribute : TheoryAttribute
{
    public SwtpmTheoryAttribute() => Skip = Swtpm.Missing;
}
