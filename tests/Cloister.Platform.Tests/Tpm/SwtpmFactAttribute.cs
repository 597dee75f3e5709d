namespace Cloister.Tests.Tpm;

/// <summary>A fact that needs a software TPM and tpm2-tools, and is skipped, with the reason, where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SwtpmFactAttribute : FactAttribute
{
    public SwtpmFactAttribute() => Skip = Swtpm.Missing;
}

/// <summary>As <see cref="SwtpmFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SwtpmTheoryAttribute : TheoryAttribute
{
    public SwtpmTheoryAttribute() => Skip = Swtpm.Missing;
}
