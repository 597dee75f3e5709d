namespace Cloister.Protocol.Templates.Analysis;

/// <summary>What a template can read, told from its text.</summary>
internal sealed class SecretUse
{
    private readonly Uses _current = new(), _previous = new();

    /// <summary>Whether it can read the marble's own private key.</summary>
    public bool MarbleKey { get; set; }

    public TemplateSecretNames Current => _current.Result;

    public TemplateSecretNames Previous => _previous.Result;

    /// <summary>One secret's value is read.</summary>
    public void Read(string name, bool previous) => (previous ? _previous : _current).Add(name);

    /// <summary>Any secret's value may be read.</summary>
    public void ReadAny(bool previous) => (previous ? _previous : _current).All = true;

    private sealed class Uses
    {
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
        private readonly List<string> _names = [];

        public bool All { get; set; }

        public TemplateSecretNames Result => new([.. _names], All);

        public void Add(string name)
        {
            if (_seen.Add(name)) _names.Add(name);
        }
    }
}
