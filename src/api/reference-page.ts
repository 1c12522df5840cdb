/** docs/reference/resources.md, written from the schemas: every field with its type, default, bounds and meaning. */
import { definitions, type ResourceDefinition } from './crd.ts';
import { GROUP_VERSION } from './names.ts';
import { inputSchema, type JsonSchema } from './structural-schema.ts';

/** A titled object has a section of its own; a titled scalar only lends its name to the type column. */
type Sections = Map<string, JsonSchema>;

export function referencePage(): string {
  const shared: Sections = new Map();
  const kinds = definitions.map((definition) => kindSection(definition, shared));
  const types: string[] = [];
  // A section may name further types while it is written; a Map is walked in the order of insertion, those included.
  for (const [title, schema] of shared) types.push(`## ${title}\n\n${table(schema, shared)}`);
  return `${[head, ...kinds, ...types].join('\n\n')}\n`;
}

const head = `# Resources

<!-- Written by \`npm run generate\` from the schemas in src/api. -->

API version \`${GROUP_VERSION}\`; every kind is cluster-scoped and in the category \`drover\` (\`kubectl get drover\`).
A field whose default says *required* must be given; one without a default may be left out. Unknown fields are refused by the
\`drover\` command and by \`kubectl apply\`; where another client writes them, the API server drops them.
A duration is written like \`30s\`, \`10m\` or \`1h30m\` (units h, m, s, ms). The same rules are checked by the API server and by the
\`drover\` command, with the same sentences.`;

function kindSection(definition: ResourceDefinition, shared: Sections): string {
  return [
    `## ${definition.kind}`,
    definition.description,
    `Short name \`${definition.shortName}\`.`,
    '### spec',
    table(inputSchema(definition.spec), shared),
    '### status',
    table(inputSchema(definition.status), shared),
  ].join('\n\n');
}

function table(schema: JsonSchema, shared: Sections): string {
  const rows = ['| Field | Type | Default | Bounds | Meaning |', '|---|---|---|---|---|', ...fieldRows(schema, '', shared)];
  const rules = sentences(schema);
  return rows.join('\n') + (rules.length > 0 ? `\n\nRules: ${rules.join('; ')}.` : '');
}

function fieldRows(schema: JsonSchema, at: string, shared: Sections): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = at === '' ? name : `${at}.${name}`;
    const required = schema.required?.includes(name) ?? false;
    const inner = field.items ?? field;
    const row = [
      `\`${path}\``,
      typeName(field, shared),
      field.default === undefined ? (required ? '*required*' : '') : `\`${JSON.stringify(field.default)}\``,
      bounds(field).join(', '),
      meaning(field),
    ];
    const nested = inner.title === undefined ? fieldRows(inner, field.items ? `${path}[]` : path, shared) : [];
    return [`| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`, ...nested];
  });
}

function typeName(field: JsonSchema, shared: Sections): string {
  if (field.items) return `list of ${typeName(field.items, shared)}`;
  if (field.title !== undefined) {
    if (field.type !== 'object') return field.title;
    if (!shared.has(field.title)) shared.set(field.title, field);
    return `[${field.title}](#${field.title.toLowerCase()})`;
  }
  if (field.enum) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (typeof field.additionalProperties === 'object') return `map of ${typeName(field.additionalProperties, shared)}`;
  return field.type ?? '';
}

// Bounds of the integer type itself say nothing.
const INT32_MAX = 2 ** 31 - 1;

function bounds(field: JsonSchema): string[] {
  const found: string[] = [];
  const say = (words: string, value: number | undefined) => {
    if (value !== undefined && Math.abs(value) < INT32_MAX) found.push(`${words} ${value}`);
  };
  say('at least', field.minimum);
  say('at most', field.maximum);
  if (field.title !== 'duration') say('length at most', field.maxLength);
  say('entries at least', field.minItems);
  say('entries at most', field.maxItems ?? field.maxProperties);
  return found;
}

function meaning(field: JsonSchema): string {
  const own =
    field.title !== undefined && field.type === 'object'
      ? []
      : [...sentences(field), ...(field.items ? sentences(field.items) : [])];
  return [field.description ?? '', ...own.map((rule) => `Rule: ${rule}.`)].join(' ').trim();
}

function sentences(schema: JsonSchema): string[] {
  return (schema['x-kubernetes-validations'] ?? []).map(({ message, fieldPath }) =>
    fieldPath === undefined || message.includes(fieldPath.slice(1)) ? message : `\`${fieldPath.slice(1)}\`: ${message}`,
  );
}
