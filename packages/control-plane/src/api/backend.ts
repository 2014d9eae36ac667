/** What the HTTP API needs of the control plane: everything behind it can be something else in a test. */
import type { Problem, Result } from '@heddle/base';
import type { Principal } from './principal.ts';
import type {
  AnalysisResponse,
  ApplyRequest,
  ApplyResponse,
  CertificatesResponse,
  DeleteRequest,
  DeleteResponse,
  DiffRequest,
  DiffResponse,
  EndpointsResponse,
  HistoryDetail,
  HistoryResponse,
  NamedObject,
  ObjectWithStatus,
  ProxiesResponse,
  ResourcesResponse,
  RollbackRequest,
  RollbackResponse,
  ServicesResponse,
  StatusResponse,
  TokenRequest,
  TokenResponse,
  TokenSummary,
  TrafficEvent,
  TrafficResponse,
} from './types.ts';

/** Who asks for a change, and the one namespace that they may change; null for all. */
export type Author = Pick<Principal, 'subject' | 'namespace'>;

export interface ApiBackend {
  status(): StatusResponse;
  services(): ServicesResponse;
  /** All namespaces where none is named. */
  endpoints(namespace: string | undefined): EndpointsResponse;
  proxies(): ProxiesResponse;
  certificates(): Promise<CertificatesResponse>;
  traffic(seconds: number): TrafficResponse;
  latestTraffic(): TrafficEvent;
  /** Stores all objects of the files or none. */
  apply(request: ApplyRequest, author: Author): Promise<Result<ApplyResponse, readonly Problem[]>>;
  delete(request: DeleteRequest, author: Author): Promise<Result<DeleteResponse, readonly Problem[]>>;
  /** What applying or deleting would change, for whom. */
  diff(request: DiffRequest, author: Author): Promise<Result<DiffResponse, readonly Problem[]>>;
  /** The latest changes, of one object where one is named; undefined where there is no kind of that name. */
  history(limit: number, object: NamedObject | undefined): Promise<HistoryResponse | undefined>;
  /** Undefined where the history does not hold the revision. */
  historyOf(revision: number): Promise<HistoryDetail | undefined>;
  /** Null where there is no kind of the name in the request. */
  rollback(
    request: RollbackRequest,
    author: Author,
  ): Promise<Result<RollbackResponse, readonly Problem[]> | null>;
  /** What is wrong or doubtful about stored objects, of one namespace where one is named. */
  analysis(namespace: string | undefined): AnalysisResponse;
  /** Undefined where there is no kind of that plural name. */
  resources(plural: string, namespace: string | undefined): ResourcesResponse | undefined;
  resource(plural: string, namespace: string, name: string): ObjectWithStatus | undefined;
  createJoinToken(request: TokenRequest): Promise<TokenResponse>;
  joinTokens(): Promise<readonly TokenSummary[]>;
  /** False where there is no such token. */
  revokeJoinToken(id: string): Promise<boolean>;
  /** The control plane's own metrics, as Prometheus text. */
  metrics(): string;
}
