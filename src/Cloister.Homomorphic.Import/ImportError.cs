namespace Cloister.Homomorphic.Import;

/// <summary>Why a file was refused. The numbers are stable: 1xx is the file, 2xx the model in it, 3xx a table.</summary>
public enum ImportError
{
    /// <summary>The bytes are of no kind that is read.</summary>
    UnknownKind = 101,

    /// <summary>The file ends early, holds something behind its end, or does not follow its format.</summary>
    Malformed = 102,

    /// <summary>The file, or a number of things in it, is beyond <see cref="ImportOptions"/>.</summary>
    TooLarge = 103,

    /// <summary>The format's version is not read.</summary>
    UnsupportedVersion = 104,

    /// <summary>A member that the model needs is absent.</summary>
    MissingMember = 105,

    /// <summary>An operator that is no part of a linear model or a forest.</summary>
    UnknownOperator = 201,

    /// <summary>A member or attribute that is not known: it could change what the model means.</summary>
    UnknownMember = 202,

    /// <summary>A known member has a value that linear models and forests on ciphertexts do not have.</summary>
    Unsupported = 203,

    /// <summary>Two lists or shapes that belong together have different lengths.</summary>
    LengthMismatch = 204,

    /// <summary>A weight, threshold or leaf is not a finite number.</summary>
    NotFinite = 205,

    /// <summary>A tree's node is its own ancestor, has two parents, or names a child that is not there.</summary>
    BrokenTree = 206,

    /// <summary>A feature, class or target number is outside the model's own range.</summary>
    OutOfRange = 207,

    /// <summary>The model's objective or kernel has no linear or tree form on ciphertexts.</summary>
    UnsupportedObjective = 208,

    /// <summary>The graph is not one straight computation from one input to a prediction.</summary>
    BrokenGraph = 209,

    /// <summary>A quotation mark stands where none may, or one is never closed.</summary>
    BadQuotes = 301,

    /// <summary>A line has more or fewer cells than the first.</summary>
    CellCount = 302,

    /// <summary>A cell is not a finite number.</summary>
    NotANumber = 303,

    /// <summary>A column was asked for that the table does not have.</summary>
    UnknownColumn = 304,

    /// <summary>Two columns have one name, or a column has none.</summary>
    BadColumnName = 305,

    /// <summary>The table is not UTF-8 text.</summary>
    BadText = 306,

    /// <summary>The table is beyond <see cref="CsvOptions"/>.</summary>
    TableTooLarge = 307,

    /// <summary>The table has no rows.</summary>
    EmptyTable = 308,
}
