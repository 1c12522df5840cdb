/** Which form of an object a client accepts. Only JSON is spoken here: a client that insists on protobuf gets 406. */
import { notAcceptable } from './status.ts';

export type Form = 'Object' | 'Table' | 'PartialObjectMetadata';

const JSON_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

interface Clause {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

function clausesOf(header: string): Clause[] {
  const clauses = header.split(',').map((text): Clause => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = Object.fromEntries(
      rest.map((part): [string, string] => {
        const at = part.indexOf('=');
        return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
      }),
    );
    return { type, parameters, quality: Number(parameters.q ?? 1) };
  });
  // stable: among equals the first named wins
  return clauses.sort((a, b) => b.quality - a.quality);
}

function formOf({ parameters }: Clause): Form | undefined {
  const { as, g, v } = parameters;
  if (as === undefined && g === undefined && v === undefined) return 'Object';
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined;
  if (as === 'Table') return 'Table';
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'PartialObjectMetadata';
  return undefined;
}

/** The first clause that can be met. @throws Failure 406 */
export function negotiate(header: string | undefined, watching = false): Form {
  if (header === undefined || header === '' || header === 'application/json') return 'Object';
  for (const clause of clausesOf(header)) {
    if (clause.type !== 'application/json' && clause.type !== 'application/*' && clause.type !== '*/*') continue;
    const { stream } = clause.parameters;
    if (stream !== undefined && stream !== '' && stream !== 'watch') continue;
    const form = formOf(clause);
    if (form) return form;
  }
  throw notAcceptable(watching ? JSON_TYPES.map((type) => `${type};stream=watch`) : JSON_TYPES);
}
