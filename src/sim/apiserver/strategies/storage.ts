/** Claims, volumes, attachments, storage classes. */
import type { Claim, KubeObject, PersistentVolume, VolumeAttachment } from '../../kubernetes.ts';
import { same } from '../../store/same.ts';
import { storageClasses as classes } from '../kinds.ts';
import { forbiddenField, immutable, invalidValue, required, type FieldError } from '../refusals.ts';
import { changing, filled, type Loose } from './fill.ts';
import type { Server, Strategy } from './strategy.ts';

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** The newest of the default classes, as admission chooses (plugin/pkg/admission/storage/storageclass/setdefault). */
function defaultClass(server: Server): string | undefined {
  const found = server.list(classes).filter(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true');
  found.sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1));
  return found[0]?.metadata.name;
}

function claimErrors({ spec }: Claim): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec?.accessModes?.length) errors.push(required('spec.accessModes', 'at least 1 access mode is required'));
  if (spec?.resources?.requests?.storage === undefined) errors.push(required('spec.resources[storage]'));
  return errors;
}

function claimUpdateErrors(next: Claim, current: Claim): FieldError[] {
  if (next.spec === current.spec) return [];
  const errors = claimErrors(next);
  const bound = current.status?.phase === 'Bound';
  const fixed = ({ spec }: Claim) => ({
    ...spec,
    ...(!current.spec.volumeName && { volumeName: undefined }),
    ...(bound && { resources: undefined, volumeAttributesClassName: undefined }),
    ...(!current.spec.storageClassName && { storageClassName: undefined }),
  });
  if (!same(fixed(next), fixed(current)))
    errors.push(
      forbiddenField(
        'spec',
        'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n',
      ),
    );
  return errors;
}

export const claims: Strategy<Claim> = {
  newStatus: () => ({ phase: 'Pending' }),
  defaults: (claim) => changing(claim, 'spec', (spec: Loose) => filled(spec, { volumeMode: 'Filesystem' })),
  admit: (claim, server) => {
    // An empty class is a wish for none; only an absent one gets the default.
    if (!claim.spec || claim.spec.storageClassName !== undefined) return claim;
    const storageClassName = defaultClass(server);
    return storageClassName ? { ...claim, spec: { ...claim.spec, storageClassName } } : claim;
  },
  validate: claimErrors,
  validateUpdate: claimUpdateErrors,
};

/** What may change of a volume; the rest is its source. */
const NOT_SOURCE = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
]);

const sourceOf = (spec: Loose) => Object.fromEntries(Object.entries(spec).filter(([field]) => !NOT_SOURCE.has(field)));

export const volumes: Strategy<PersistentVolume> = {
  newStatus: (_, server) => ({ phase: 'Pending', lastPhaseTransitionTime: server.now() }),
  defaults: (volume) =>
    changing(volume, 'spec', (spec: Loose) =>
      filled(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }),
    ),
  validateUpdate: (next, current) => {
    if (next.spec === current.spec) return [];
    const errors: FieldError[] = [];
    if (!same(sourceOf(next.spec), sourceOf(current.spec)))
      errors.push(forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation\n'));
    if (!same(next.spec.volumeMode, current.spec.volumeMode)) errors.push(immutable('volumeMode', next.spec.volumeMode));
    if (current.spec.nodeAffinity && !same(next.spec.nodeAffinity, current.spec.nodeAffinity))
      errors.push(immutable('nodeAffinity', next.spec.nodeAffinity));
    return errors;
  },
};

export const attachments: Strategy<VolumeAttachment> = {
  unconditionalUpdate: false,
  newStatus: () => ({ attached: false }),
  statusProtects: 'all',
  validateUpdate: (next, current) =>
    same(next.spec, current.spec) ? [] : [invalidValue('spec', next.spec, 'field is immutable')],
};

export const storageClasses: Strategy = {
  defaults: (storageClass: KubeObject) => filled(storageClass, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validateUpdate: (next, current) => {
    const errors: FieldError[] = [];
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy'])
      if (!same(next[field], current[field])) errors.push(forbiddenField(field, `updates to ${field} are forbidden.`));
    if (next.volumeBindingMode !== current.volumeBindingMode) errors.push(immutable('volumeBindingMode', next.volumeBindingMode));
    return errors;
  },
};
