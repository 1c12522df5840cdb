import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The kubectl of 1.32 is the one that the simulated cluster is tried with: two releases older than what it says it is. */
export const versions = { kubernetes: '1.34.4', etcd: '3.6.5', kwok: '0.8.0', helm: '3.19.5', 'kubectl-1.32': '1.32.9' } as const;

/** Folder of the Go test app; the module has no dependencies. */
export const appSource = fileURLToPath(new URL('./app/', import.meta.url));

export const kubernetesPrograms = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
] as const;

/** Modules that only lend their CRDs: what the chart makes of their kinds is held against them. */
export const crdModules = {
  'github.com/prometheus-operator/prometheus-operator': {
    version: 'v0.85.0',
    folder: 'example/prometheus-operator-crd',
    files: [
      'monitoring.coreos.com_podmonitors.yaml',
      'monitoring.coreos.com_prometheusrules.yaml',
      'monitoring.coreos.com_servicemonitors.yaml',
    ],
  },
  'github.com/openshift/api': {
    version: 'v0.0.0-20240912201240-0a8800162826',
    folder: 'security/v1/zz_generated.crd-manifests',
    files: ['0000_03_config-operator_01_securitycontextconstraints.crd.yaml'],
  },
} as const;

/** The folder of those CRDs. */
export function crdFolder(): string {
  const versionsOf = Object.values(crdModules).map(({ version }) => version);
  return join(cacheFolder(), `crds-${createHash('sha256').update(versionsOf.join()).digest('hex').slice(0, 12)}`);
}

export type Program = (typeof kubernetesPrograms)[number] | 'etcd' | 'kwok' | 'helm' | 'app' | 'kubectl-1.32';

/** DROVER_BEDS, else ~/.cache/drover-beds. */
export function cacheFolder(): string {
  return process.env.DROVER_BEDS || join(homedir(), '.cache', 'drover-beds');
}

function appVersion(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'main.go']) hash.update(readFileSync(join(appSource, file)));
  return hash.digest('hex').slice(0, 12);
}

/** The folder that a program's build fills. It carries the version, so a bump finds nothing there and builds anew. */
export function folderOf(program: Program): string {
  if (program === 'app') return join(cacheFolder(), `app-${appVersion()}`);
  if (program === 'kubectl-1.32') return join(cacheFolder(), `kubectl-${versions[program]}`);
  if (program === 'etcd' || program === 'kwok' || program === 'helm')
    return join(cacheFolder(), `${program}-${versions[program]}`);
  return join(cacheFolder(), `kubernetes-${versions.kubernetes}`);
}
