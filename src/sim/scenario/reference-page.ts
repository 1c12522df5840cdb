/** docs/reference/scenarios.md, written from the schema of scenario files. */
import { inputSchema, type JsonSchema } from '../../api/structural-schema.ts';
import { scenarioSchema } from './schema.ts';

const head = `# Scenario files

<!-- Written by \`npm run generate\` from src/sim/scenario/schema.ts. -->

What \`drover sim up FILE\` and \`drover sim load FILE\` read: one YAML document. Ready ones are in [examples/scenarios](../../examples/scenarios).
A field whose default says *required* must be given. Unknown fields and names that lead nowhere are refused, each with its path.
A duration is written like \`500ms\`, \`30s\` or \`1h30m\`; from a range like \`2s to 5s\` each occurrence draws its own.`;

/** Every field with its type, default and meaning. */
export function scenarioPage(): string {
  const rows = fieldRows(inputSchema(scenarioSchema), '');
  return `${[head, ['| Field | Type | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n')].join('\n\n')}\n`;
}

function fieldRows(schema: JsonSchema, at: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${at}${name}`;
    const isRequired = schema.required?.includes(name) ?? false;
    const shown = field.default === undefined ? (isRequired ? '*required*' : '') : `\`${JSON.stringify(field.default)}\``;
    const inner = field.items ?? field;
    const meaning = field.description ?? field.items?.description ?? '';
    const cells = [`\`${path}\``, typeName(field), shown, meaning].map((cell) => cell.replaceAll('|', '\\|'));
    return [`| ${cells.join(' | ')} |`, ...fieldRows(inner, field.items ? `${path}[].` : `${path}.`)];
  });
}

function typeName(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.items) return `list of ${typeName(schema.items)}`;
  if (schema.enum) return schema.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' or ');
  if (schema.properties) return 'object';
  if (typeof schema.additionalProperties === 'object') return `map of ${typeName(schema.additionalProperties)}`;
  return { integer: 'whole number', number: 'number', string: 'text', boolean: 'true or false' }[schema.type ?? ''] ?? 'object';
}
