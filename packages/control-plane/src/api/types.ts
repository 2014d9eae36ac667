/**
 * What the control plane's HTTP API says and takes: one type per answer and request. The dashboard works with a
 * generated copy of this file, so it imports nothing. Times are milliseconds since 1970, latencies milliseconds.
 */

/** One thing wrong with what somebody wrote; the shape of `Problem` in `@heddle/base`. */
export interface ApiProblem {
  /** Stable and searchable, such as `HEDDLE_UNKNOWN_FIELD` or Istio's `IST0101`. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Field path such as `spec.http[0].route[1].weight`. */
  readonly path?: string;
}

/** The body of every answer with a status of 400 or more. */
export interface ApiErrorBody {
  readonly error: {
    /** Stable: `HEDDLE_…`, listed in docs/reference/errors.md. */
    readonly code: string;
    /** One sentence a user can act on. */
    readonly message: string;
    readonly hint?: string;
    readonly problems?: readonly ApiProblem[];
  };
}

/** `POST /api/v1/login`: answered by 204 and the cookie `heddle_session`. */
export interface LoginRequest {
  /** The dashboard token that `heddle up` prints. */
  readonly token: string;
}

/** `GET /api/v1/status`. */
export interface StatusResponse {
  readonly version: string;
  readonly startedAt: number;
  readonly trustDomain: string;
  /** The configuration's revision: grows by one with each change. */
  readonly revision: number;
  /** `host:port`. */
  readonly apiAddress: string;
  /** `host:port`. */
  readonly xdsAddress: string;
  /** `host:port`. */
  readonly joinAddress: string;
  /** Proxies connected at the moment. */
  readonly proxies: number;
  /** Instances published at the moment. */
  readonly instances: number;
}

export interface ServicePort {
  readonly number: number;
  readonly protocol: string;
}

/** A service's traffic over the last ten seconds. */
export interface ServiceTrafficSummary {
  readonly requestsPerSecond: number;
  /** Answers of 500 and above, and requests that got none. */
  readonly errorsPerSecond: number;
  /** Null where nothing was measured. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface ServiceSummary {
  readonly name: string;
  readonly namespace: string;
  /** Fully qualified, such as `reviews.default.svc.cluster.local`, or what a ServiceEntry calls it. */
  readonly host: string;
  readonly ports: readonly ServicePort[];
  /** How many are published, and how many endpoints objects name. */
  readonly instances: number;
  /** Values of the instances' label `version`, sorted. */
  readonly versions: readonly string[];
  /** Null where no traffic was ever reported. */
  readonly traffic: ServiceTrafficSummary | null;
}

/** `GET /api/v1/services`. */
export interface ServicesResponse {
  readonly services: readonly ServiceSummary[];
}

/**
 * `ready`: its lease is renewed. `grace`: its stream broke and it has two seconds to come back. `restored`: read from
 * the store by a control plane that has just started and waits one lease for it to report.
 */
export type EndpointState = 'ready' | 'grace' | 'restored';

export interface EndpointSummary {
  /** The instance's unique id. */
  readonly instance: string;
  readonly service: string;
  readonly namespace: string;
  /** The label `version`, empty where there is none. */
  readonly version: string;
  /** Where other sidecars reach it. */
  readonly address: string;
  readonly port: number;
  readonly servicePort: number;
  readonly protocol: string;
  readonly labels: Readonly<Record<string, string>>;
  /** SPIFFE id. */
  readonly identity: string;
  readonly state: EndpointState;
  /** When it was published. */
  readonly since: number;
  readonly leaseExpiresAt: number;
}

/** `GET /api/v1/endpoints?namespace=`. */
export interface EndpointsResponse {
  readonly endpoints: readonly EndpointSummary[];
}

/** How far a proxy is with one type of resource. */
export interface ProxyTypeStatus {
  /** Responses sent on this stream. */
  readonly sent: number;
  /** Responses acknowledged. */
  readonly acknowledged: number;
  /** Nothing is on its way and nothing was rejected last. */
  readonly synced: boolean;
}

export type XdsTypeName = 'cds' | 'eds' | 'lds' | 'rds' | 'vhds' | 'sds';

/** A resource that a proxy refused to take. */
export interface RejectedResource {
  readonly type: XdsTypeName;
  /** Empty where the proxy's reason names none. */
  readonly name: string;
  /** The proxy's own words. */
  readonly reason: string;
  readonly at: number;
}

export interface ProxySummary {
  /** The xDS node id. */
  readonly id: string;
  readonly instance: string;
  readonly namespace: string;
  readonly service: string;
  /** The label `version`, empty where there is none. */
  readonly version: string;
  /** SPIFFE id. */
  readonly identity: string;
  readonly remoteAddress: string;
  readonly connectedAt: number;
  readonly certificateNotAfter: number;
  /** Types that the proxy has not asked for are absent. */
  readonly types: Readonly<Partial<Record<XdsTypeName, ProxyTypeStatus>>>;
  readonly rejected: readonly RejectedResource[];
}

/** `GET /api/v1/proxies`. */
export interface ProxiesResponse {
  readonly proxies: readonly ProxySummary[];
}

export interface CertificateSummary {
  /** SPIFFE id; for the root that of its trust domain. */
  readonly identity: string;
  readonly kind: 'root' | 'control-plane' | 'workload';
  /** Of a workload that is connected. */
  readonly instance?: string;
  /** Hexadecimal. */
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `GET /api/v1/certificates`. */
export interface CertificatesResponse {
  readonly certificates: readonly CertificateSummary[];
}

/** One service's traffic, oldest second first; all arrays have the same length. */
export interface ServiceTrafficSeries {
  readonly namespace: string;
  readonly service: string;
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  /** Null for a second without requests. */
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

/** `GET /api/v1/traffic?seconds=300`. */
export interface TrafficResponse {
  readonly intervalMs: 1000;
  /** End of the last interval. */
  readonly endMs: number;
  readonly services: readonly ServiceTrafficSeries[];
}

/** One service's traffic in the second that has just passed. */
export interface ServiceTrafficSample {
  readonly namespace: string;
  readonly service: string;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

/** The data of `event: traffic` in `GET /api/v1/traffic/stream`, sent each second. */
export interface TrafficEvent {
  readonly timeMs: number;
  readonly services: readonly ServiceTrafficSample[];
}

export interface ManifestFile {
  /** As the user named it; `-` for standard input. */
  readonly name: string;
  readonly text: string;
}

/** `POST /api/v1/apply`: everything is stored, or nothing is. */
export interface ApplyRequest {
  readonly files: readonly ManifestFile[];
  /** For objects that name none. */
  readonly namespace: string;
  /** Refuses what would only be warned about. */
  readonly strict?: boolean;
  /** Judges, stores nothing. */
  readonly dryRun?: boolean;
}

export type ApplyChange = 'created' | 'configured' | 'unchanged' | 'skipped';

export interface ObjectReference {
  /** Such as `networking.istio.io/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ApplyResult extends ObjectReference {
  readonly change: ApplyChange;
  readonly warnings: readonly ApiProblem[];
}

export interface ApplyResponse {
  readonly results: readonly ApplyResult[];
}

/** `POST /api/v1/delete`: the objects that the files name. */
export interface DeleteRequest {
  readonly files: readonly ManifestFile[];
  readonly namespace: string;
}

export interface DeleteResult extends ObjectReference {
  readonly change: 'deleted' | 'not-found';
}

export interface DeleteResponse {
  readonly results: readonly DeleteResult[];
}

/**
 * `POST /api/v1/diff`: what would change if the files were applied, or what they name deleted. Nothing is stored, and no
 * proxy is told.
 */
export interface DiffRequest {
  readonly files: readonly ManifestFile[];
  /** For objects that name none. */
  readonly namespace: string;
  /** Looks at deleting instead of applying. */
  readonly delete?: boolean;
}

/** A field that differs; `before` or `after` is absent where the field is. */
export interface FieldDiff {
  /** Such as `spec.http[0].route[1].weight`; in resources, items of lists are named where they have names. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Of the file, for fields of objects; 1-based. */
  readonly line?: number;
}

/** A resource that proxies would get, get differently, or lose. */
export interface ResourceDiff {
  readonly type: XdsTypeName;
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** Node ids of the proxies for which it is so. */
  readonly proxies: readonly string[];
  /** Where it differs; empty for what is new or gone, and for secrets. */
  readonly fields: readonly FieldDiff[];
}

export interface ObjectDiff extends ObjectReference {
  readonly change: ApplyChange | 'deleted' | 'not-found';
  /** Where it is written; absent where it would be deleted. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** Empty for what is new or gone. */
  readonly fields: readonly FieldDiff[];
  /** What this object, applied after those before it, changes for proxies that are connected. */
  readonly resources: readonly ResourceDiff[];
  readonly warnings: readonly ApiProblem[];
}

export interface DiffResponse {
  readonly objects: readonly ObjectDiff[];
  readonly proxies: {
    /** Node ids of those that would be sent something. */
    readonly changed: readonly string[];
    /** How many are connected. */
    readonly total: number;
  };
}

/** Something wrong or doubtful about a stored object. */
export interface AnalysisFinding extends ObjectReference {
  readonly level: 'ERROR' | 'WARNING' | 'INFO';
  readonly problem: ApiProblem;
}

/** `GET /api/v1/analysis?namespace=`. */
export interface AnalysisResponse {
  /** How many objects were looked at. */
  readonly objects: number;
  readonly findings: readonly AnalysisFinding[];
}

/** What a commit did to one object. */
export interface HistoryChange extends ObjectReference {
  readonly change: 'created' | 'configured' | 'deleted';
}

/** One change of the configuration, of one object or of several at once. */
export interface HistoryEntry {
  readonly revision: number;
  readonly at: number;
  /** The subject of the token that was shown, such as `admin` or `alice`; `files` where files were changed. */
  readonly author: string;
  readonly changes: readonly HistoryChange[];
}

/** `GET /api/v1/history?limit=&kind=&namespace=&name=`: newest first; of one object where a kind and a name are given. */
export interface HistoryResponse {
  readonly entries: readonly HistoryEntry[];
}

/** A change of an object, with the object before and after; null where there was none. */
export interface HistoryChangeDetail extends HistoryChange {
  readonly before: unknown;
  readonly after: unknown;
}

/** `GET /api/v1/history/<revision>`. */
export interface HistoryDetail extends HistoryEntry {
  readonly changes: readonly HistoryChangeDetail[];
}

/** Names an object by what people type. */
export interface NamedObject {
  /** Plural, singular or short name. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** `POST /api/v1/rollback`: everything, or one object, as it was at an earlier revision. */
export interface RollbackRequest {
  /** The revision to go back to. Absent: the one before the last change. */
  readonly toRevision?: number;
  /** Only this object. */
  readonly object?: NamedObject;
  /** Says what would change, stores nothing. */
  readonly dryRun?: boolean;
}

export interface RollbackResult extends HistoryChange {
  readonly warnings: readonly ApiProblem[];
}

export interface RollbackResponse {
  /** The revision that was gone back to. */
  readonly toRevision: number;
  /** The configuration's revision now: a new one, unless nothing had to be changed. */
  readonly revision: number;
  /** What is otherwise than before the request. */
  readonly results: readonly RollbackResult[];
}

/** One thing that is so of an object or not, as in Kubernetes' APIs. */
export interface StatusCondition {
  /** `Accepted`, `ResolvedRefs`, `Programmed`, `Reconciled`. */
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word. */
  readonly reason: string;
  /** One sentence; empty where the reason says it all. */
  readonly message: string;
  /** The generation of the object that this is about. */
  readonly observedGeneration: number;
}

/** What has become of a route at one of its parents. */
export interface RouteParentStatus {
  readonly parentRef: {
    readonly group?: string;
    readonly kind?: string;
    readonly namespace?: string;
    readonly name: string;
    readonly sectionName?: string;
    readonly port?: number;
  };
  readonly controllerName: string;
  readonly conditions: readonly StatusCondition[];
}

/** What has become of one of a Gateway's listeners. */
export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly attachedRoutes: number;
  readonly conditions: readonly StatusCondition[];
}

/** What has become of an object. */
export interface ObjectStatus {
  /** Always true for what is stored; kept for kinds that can be refused later. */
  readonly accepted: boolean;
  readonly observedGeneration: number;
  readonly conditions: readonly StatusCondition[];
  /** Of routes of the Gateway API: one for each parent that is Heddle's. */
  readonly parents?: readonly RouteParentStatus[];
  /** Of Gateways of the Gateway API that are of Heddle's class. */
  readonly listeners?: readonly ListenerStatus[];
  /** Re-evaluated whenever services or other objects change. */
  readonly warnings: readonly ApiProblem[];
  /** Of the connected proxies that use the object's resources, how many have acknowledged the present ones. */
  readonly proxies: { readonly acknowledged: number; readonly total: number };
}

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Decimal revision of the last change. */
  readonly resourceVersion: string;
  /** Grows by one with each change of the spec. */
  readonly generation: number;
  /** RFC 3339. */
  readonly creationTimestamp: string;
}

/** A stored object, in the form its kind has in YAML. */
export interface ObjectWithStatus {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: ObjectStatus;
}

/** `GET /api/v1/resources/<plural>?namespace=`. */
export interface ResourcesResponse {
  readonly items: readonly ObjectWithStatus[];
}

/**
 * What somebody may do at the API. `viewer`: look at everything but tokens. `operator`: also change the configuration.
 * `admin`: also make, list and revoke tokens.
 */
export type ApiRole = 'viewer' | 'operator' | 'admin';

/** `GET /api/v1/whoami`. */
export interface WhoAmI {
  readonly subject: string;
  readonly role: ApiRole;
  /** The one namespace that this is good for; null for all. */
  readonly namespace: string | null;
  readonly expiresAt: number | null;
}

/** `POST /api/v1/tokens`, for admins. */
export interface TokenRequest {
  /** `join` admits a workload, `dashboard` a person to the page, `api` the command line on other machines and programs. */
  readonly kind: 'join' | 'dashboard' | 'api';
  /** Of `dashboard` and `api` tokens; default `viewer`. */
  readonly role?: ApiRole;
  /** Whose token it is, for the history; for `dashboard` (default: the kind) and `api`. */
  readonly subject?: string;
  /** How often a join token may be used; default 1. */
  readonly uses?: number;
  /** Default one hour for join tokens; the others don't expire unless it is said. */
  readonly ttlSeconds?: number;
  /** Restricts a join token to workloads of one namespace, others to what is in it. */
  readonly namespace?: string;
  /** Restricts a join token to one service account. */
  readonly serviceAccount?: string;
}

/** A token that was made and not revoked, without its secret. */
export interface TokenSummary {
  readonly id: string;
  readonly kind: TokenRequest['kind'];
  /** Null of join tokens. */
  readonly subject: string | null;
  readonly role: ApiRole | null;
  readonly namespace: string | null;
  readonly createdAt: number;
  /** Null for never. */
  readonly expiresAt: number | null;
  /** To the minute. Null where it was never used, or where that is not known, as of join tokens. */
  readonly lastUsedAt: number | null;
  /** Of join tokens; null for any number. */
  readonly usesLeft?: number | null;
  /** Of join tokens; null for any. */
  readonly serviceAccount?: string | null;
}

/** `GET /api/v1/tokens`, for admins. `DELETE /api/v1/tokens/<id>` revokes one and is answered by 204. */
export interface TokensResponse {
  readonly tokens: readonly TokenSummary[];
}

export interface TokenResponse {
  /** Shown once; only its hash is kept. */
  readonly token: string;
  /** For join tokens: the command to run on the other machine. */
  readonly joinCommand?: string;
}
