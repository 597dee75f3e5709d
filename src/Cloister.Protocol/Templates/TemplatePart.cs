namespace Cloister.Protocol.Templates;

internal enum TemplateRoot { Secret, MarbleRoot, MarbleCertificate, CoordinatorRoot, CoordinatorIntermediate }

/// <summary>Which part of a secret or certificate an action writes.</summary>
internal enum TemplateMember { Whole, Certificate, Public, Private }

/// <summary>One action: a function and the data it writes.</summary>
/// <param name="Function">For example <c>pem</c>.</param>
/// <param name="Root">Where the data lies.</param>
/// <param name="Secret">The secret's name, under <see cref="TemplateRoot.Secret"/>.</param>
/// <param name="Member">Which part.</param>
/// <param name="Line">The action's line, from 1.</param>
/// <param name="Source">The data as written, for messages.</param>
internal sealed record TemplateAction(string Function, TemplateRoot Root, string? Secret, TemplateMember Member, int Line, string Source);

/// <summary>Text, or an action.</summary>
internal readonly record struct TemplatePart(ReadOnlyMemory<byte> Text, TemplateAction? Action);
