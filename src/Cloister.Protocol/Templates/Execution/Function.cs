using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>A function of a template.</summary>
/// <param name="Fixed">Parameters that have to be there.</param>
/// <param name="IsVariadic">Whether any number of values may follow.</param>
/// <param name="Call">Runs it. It throws <see cref="GoCallException"/> for what Go returns as an error.</param>
internal sealed record Function(GoParameter[] Fixed, bool IsVariadic, Func<WorkBudget, TemplateValue?[], TemplateValue?> Call);
