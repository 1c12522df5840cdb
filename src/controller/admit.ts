/** Resources from the API server, checked once more: a CRD of another version may let through what this one cannot read. */
import type { MaintenancePolicy, NodeMaintenance } from '../api/resources.ts';
import { formatFieldErrors, type Parsed, parseMaintenance, parsePolicy } from '../api/validate.ts';
import type { Log } from '../lib/log.ts';

/** One that cannot be read is left alone, and the log says why. */
export function validatePolicy(object: MaintenancePolicy, log: Log): Parsed<MaintenancePolicy> {
  const parsed = parsePolicy(object);
  admit('MaintenancePolicy', object.metadata.name, parsed, log);
  return parsed;
}

/** null: it is left alone, and the log says why. */
export function validateMaintenance(object: NodeMaintenance, log: Log): NodeMaintenance | null {
  return admit('NodeMaintenance', object.metadata.name, parseMaintenance(object), log);
}

function admit<T>(kind: string, name: string, parsed: Parsed<T>, log: Log): T | null {
  if (parsed.ok) return parsed.value;
  for (const line of formatFieldErrors(kind, name, parsed.errors)) log.error(`ignored: ${line}`);
  return null;
}
