// Made of the OpenAPI document by scripts/contract.py: change that, not this.

export interface Budgets {
  quick: number;
  usual: number;
  thorough: number;
}

export interface Chart {
  name: "budget" | "calibration" | "cluster_evidence" | "cluster_places" | "cluster_sizes" | "cluster_traits" | "confusion" | "contributions" | "dependence" | "error_by_range" | "gain" | "histogram" | "importance" | "leaderboard" | "learning" | "missing" | "precision_recall" | "predicted" | "residuals" | "roc" | "threshold";
  about: string | null;
  title: string;
  sentence: string;
  spec: Record<string, JsonValue>;
  table: ChartTable;
}

export interface ChartTable {
  columns: (string)[];
  rows: ((string | number | boolean | null)[])[];
}

export interface Charts {
  model: string;
  version: number;
  items: (Chart)[];
}

export interface Column {
  name: string;
  type: "integer" | "number" | "boolean" | "datetime" | "string";
  role: "numeric" | "category" | "boolean" | "datetime" | "text" | "id" | "constant" | "empty";
  missing: number;
  distinct: number;
  examples: (string)[];
  read: ColumnRead;
}

export interface ColumnRead {
  decimal: string | null;
  thousands: string | null;
  unit: string | null;
  date_order: "iso" | "ymd" | "dmy" | "mdy" | "named" | null;
  zoned: boolean | null;
  missing_values: (string)[];
  text_because: string | null;
  asked: boolean;
}

export interface ColumnReadOptions {
  decimal?: "." | "," | null;
  thousands?: "" | "," | "." | "'" | "\u2019" | " " | "\u00a0" | "\u202f" | null;
  day_first?: boolean | null;
  missing_values?: (string)[] | null;
}

export interface Comparison {
  model: string;
  versions: [number, number];
  metric: string;
  rows: number;
  same_table: boolean;
  scores: [number | null, number | null];
  intervals: [[number | null, number | null], [number | null, number | null]];
  difference: number | null;
  interval: [number | null, number | null];
  agreement: number | null;
  message: string;
}

export interface Condition {
  column: string;
  low: number | null;
  high: number | null;
  category: string | null;
  missing: boolean;
  message: string;
}

export interface Contribution {
  column: string;
  cell: string | number | boolean | null;
  adds: (number)[];
  errors: (number)[];
}

export interface Counterexample {
  row: number;
  distance: number;
  predicted: string | number | boolean | null;
  truth: string | number | boolean | null;
  differences: (string)[];
  cells: Record<string, string | number | boolean | null>;
}

export interface Dataset {
  id: string;
  name: string;
  parent: string | null;
  created: string;
  bytes: number;
  rows: number;
  columns: (Column)[];
  dialect: Record<string, JsonValue>;
  warnings: (Notice)[];
}

export interface DatasetCharts {
  dataset: string;
  items: (Chart)[];
}

export interface DatasetPage {
  total: number;
  limit: number;
  offset: number;
  items: (Dataset)[];
}

export interface Dependence {
  column: string;
  kind: string;
  values: (string | number | boolean | null)[];
  outputs: (string | number | boolean | null)[];
  mean: ((number)[])[];
  curves: ((number)[])[];
  output: number;
  differs: number;
  together_with: (Partner)[];
}

export interface DrawRequest {
  rows: (Record<string, string | number | boolean | null>)[];
  max_predict_ms?: number | null;
}

export interface ErrorBody {
  message: string;
  reason: string | null;
  code: string;
  params: Record<string, JsonValue>;
  errors: (FieldProblem)[];
}

export interface ExplainRequest {
  rows: (Record<string, string | number | boolean | null>)[];
  max_predict_ms?: number | null;
  counterexamples?: number;
  what_if?: Record<string, (string | number | boolean | null)[] | null>;
}

export interface Explanation {
  model: string;
  version: number;
  task: "binary" | "multiclass" | "regression" | "clustering";
  target: string;
  classes: (string | number | boolean | null)[];
  notes: (Notice)[];
  importance: Importance;
  contributions: Overview;
  dependences: (Dependence)[];
  segments: Segments;
}

export interface FieldProblem {
  field: string;
  code: string;
  message: string;
}

export interface Finding {
  code: string;
  severity: "info" | "warning" | "serious";
  message: string;
  column: string | null;
  columns: (string)[];
  evidence: Record<string, JsonValue>;
  action: Record<string, JsonValue> | null;
}

export interface Findings {
  target: string | null;
  items: (Finding)[];
  time_budget: Budgets | null;
}

export interface Importance {
  metric: string;
  score: number | null;
  rows: number;
  repeats: number;
  share: number;
  groups: (Worth)[];
}

export interface Job {
  id: string;
  dataset_id: string;
  target: string | null;
  task: "binary" | "multiclass" | "regression" | "clustering";
  metric: string;
  options: Record<string, JsonValue>;
  state: "queued" | "running" | "done" | "failed" | "stopped" | "cancelled" | "interrupted";
  created: string;
  queued_seconds: number;
  elapsed: number;
  time_budget: number;
  attempt: number;
  progress: number;
  outlook: Outlook | null;
  leaderboard: (Trial)[];
  model: ModelRef | null;
  mlflow_run_id: string | null;
  error: Problem | null;
}

export interface JobPage {
  total: number;
  limit: number;
  offset: number;
  items: (Job)[];
}

export type JsonValue = unknown;

export interface Limits {
  max_upload_bytes: number;
  max_piece_bytes: number;
  max_predict_rows: number;
  max_json_rows: number;
  max_time_budget: number;
  default_time_budget: number;
}

export interface Model {
  name: string;
  task: "binary" | "multiclass" | "regression" | "clustering";
  target: string | null;
  dataset_id: string;
  created: string;
  champion: number | null;
  versions: (ModelVersion)[];
}

export interface ModelColumn {
  name: string;
  kind: string;
  categories: (string)[] | null;
  minimum: number | null;
  maximum: number | null;
}

export interface ModelPage {
  total: number;
  limit: number;
  offset: number;
  items: (Model)[];
}

export interface ModelRef {
  name: string;
  version: number;
}

export interface ModelStatistics {
  model: string;
  requests: number;
  rows: number;
  mean_seconds: number;
}

export interface ModelVersion {
  version: number;
  created: string;
  job_id: string;
  dataset_id: string;
  metric: string;
  score: number | null;
  interval: [number | null, number | null] | null;
  baseline_score: number | null;
  aliases: ("champion" | "challenger")[];
  columns: (ModelColumn)[];
  mlflow_run_id: string | null;
  mlflow_model_uri: string | null;
  mlflow_version: string | null;
  mlflow_name: string | null;
}

export interface Monitoring {
  since: string;
  datasets: number;
  models: number;
  jobs: Record<string, number>;
  training_seconds: number;
  predictions: (ModelStatistics)[];
  requests: (RouteStatistics)[];
}

export interface Notice {
  code: string;
  message: string;
  column: string | null;
  action: Record<string, JsonValue> | null;
}

export interface Outlook {
  seconds: number;
  gain: number;
  low: number;
  high: number;
}

export interface Overview {
  scale: "log_odds" | "centred_log_probability" | "target";
  outputs: (string | number | boolean | null)[];
  base: (number)[];
  columns: (Size)[];
  rows: (number)[];
  values: (((number)[])[])[];
  ranks: ((number | null)[] | null)[];
}

export interface Partner {
  column: string;
  share: number;
}

export interface PredictRequest {
  rows: (Record<string, string | number | boolean | null>)[];
  max_predict_ms?: number | null;
}

export interface Prediction {
  id: string;
  value: string | number | boolean | null;
  probabilities: Record<string, number> | null;
  interval: [number, number] | null;
  warnings: (RowWarning)[];
}

export interface Predictions {
  model: string;
  version: number;
  answered_by: "ensemble" | "fast";
  predictions: (Prediction)[];
  notes: (Notice)[];
}

export interface Preview {
  columns: (string)[];
  rows: ((JsonValue)[])[];
}

export interface Problem {
  code: string;
  message: string;
  params: Record<string, JsonValue>;
}

export interface Profile {
  rows: number;
  columns: (Record<string, JsonValue>)[];
}

export interface PromoteRequest {
  version: number;
}

export interface ReadOptions {
  encoding?: string | null;
  separator?: string | null;
  quote?: string | null;
  escape?: string | null;
  spaced?: boolean | null;
  comment?: string | null;
  keep_rows?: boolean | null;
  skip?: number | null;
  footer?: number | null;
  header?: number | null;
  header_rows?: number | null;
  decimal?: "." | "," | null;
  thousands?: "" | "," | "." | "'" | "\u2019" | " " | "\u00a0" | "\u202f" | null;
  day_first?: boolean | null;
  missing_values?: (string)[] | null;
  column_types?: Record<string, "integer" | "number" | "boolean" | "datetime" | "string" | null> | null;
  columns?: Record<string, ColumnReadOptions | null> | null;
}

export interface ResumeRequest {
  time_budget?: number | null;
}

export interface RouteStatistics {
  route: string;
  method: string;
  requests: number;
  errors: number;
  mean_seconds: number;
}

export interface RowExplanation {
  value: string | number | boolean | null;
  probabilities: Record<string, number> | null;
  warnings: (RowWarning)[];
  base: (number)[];
  said: (number)[];
  contributions: (Contribution)[];
  counterexamples: (Counterexample)[];
  what_if: (WhatIf)[];
}

export interface RowExplanations {
  model: string;
  version: number;
  answered_by: "ensemble" | "fast";
  scale: "log_odds" | "centred_log_probability" | "target";
  outputs: (string | number | boolean | null)[];
  rows: (RowExplanation)[];
  notes: (Notice)[];
}

export interface RowWarning {
  code: string;
  message: string;
  column: string;
}

export interface Segment {
  message: string;
  conditions: (Condition)[];
  rows: number;
  inside: number;
  outside: number;
  interval: [number | null, number | null];
  p: number;
}

export interface Segments {
  loss: "log_loss" | "absolute_error";
  rows: number;
  judged: number;
  mean: number | null;
  items: (Segment)[];
}

export interface Size {
  column: string;
  mean_size: (number)[];
}

export interface Study {
  model: string;
  version: number;
  state: "queued" | "running";
  progress: number;
}

export interface TrainRequest {
  target?: string | null;
  task?: "binary" | "multiclass" | "regression" | "clustering" | null;
  metric?: string | null;
  time_budget?: number | null;
  name?: string | null;
  columns?: (string)[] | null;
  seed?: number;
  max_trials?: number | null;
  max_predict_ms?: number | null;
  groups?: string | null;
  time_column?: string | null;
  drop_duplicates?: boolean;
  missing_values?: Record<string, (string | number)[]>;
}

export interface Trial {
  name: string;
  family: string;
  score: number | null;
  interval: [number | null, number | null] | null;
  tied_with_best: boolean;
  baseline: boolean;
  fit_seconds: number;
  predict_seconds: number | null;
  state: "done" | "failed" | "skipped";
  reason: string | null;
}

export interface Upload {
  id: string;
  filename: string;
  offset: number;
  size: number | null;
  max_piece_bytes: number;
}

export interface UploadFromPath {
  path: string;
}

export interface UploadStart {
  filename: string;
  size?: number | null;
}

export interface User {
  username: string;
  display_name: string;
  authenticated_by: string;
  roles: (string)[];
  permissions: Record<string, (string)[]>;
  limits: Limits;
  version: string;
  mlflow_ui_url: string | null;
}

export interface WhatIf {
  column: string;
  kind: string;
  values: (string | number | boolean | null)[];
  answers: (WhatIfAnswer)[];
}

export interface WhatIfAnswer {
  value: string | number | boolean | null;
  probabilities: Record<string, number> | null;
}

export interface Worth {
  columns: (string)[];
  drop: number | null;
  interval: [number | null, number | null];
}

/** What each operation answers in JSON; null where it answers something else. */
export interface Answers {
  "get /": null;
  "get /csv/": null;
  "post /csv/": null;
  "post /csv/{dataset_id}/reread/": null;
  "get /api/user/": User;
  "post /api/upload/": Dataset;
  "post /api/uploads/": Upload;
  "patch /api/uploads/{upload_id}/": Upload | Dataset;
  "head /api/uploads/{upload_id}/": null;
  "delete /api/uploads/{upload_id}/": null;
  "get /api/datasets/": DatasetPage;
  "get /api/datasets/{dataset_id}/": Dataset;
  "delete /api/datasets/{dataset_id}/": null;
  "post /api/datasets/{dataset_id}/reread/": Dataset;
  "get /api/datasets/{dataset_id}/preview/": Preview;
  "get /api/datasets/{dataset_id}/profile/": Profile;
  "get /api/datasets/{dataset_id}/charts/": DatasetCharts;
  "get /api/datasets/{dataset_id}/findings/": Findings;
  "post /api/train/{dataset_id}/": Job;
  "get /api/jobs/": JobPage;
  "get /api/jobs/{job_id}/": Job;
  "post /api/jobs/{job_id}/stop/": Job;
  "post /api/jobs/{job_id}/cancel/": Job;
  "post /api/jobs/{job_id}/resume/": Job;
  "get /api/jobs/{job_id}/events/": null;
  "get /api/models/": ModelPage;
  "get /api/models/{name}/": Model;
  "delete /api/models/{name}/": null;
  "get /api/models/{name}/explain/": Explanation | Study;
  "post /api/models/{name}/explain/": RowExplanations;
  "get /api/models/{name}/dependence/": Dependence | Study;
  "get /api/models/{name}/compare/": Comparison | Study;
  "get /api/models/{name}/charts/": Charts | Study;
  "post /api/models/{name}/charts/": Charts;
  "get /api/models/{name}/report/": Study;
  "get /api/models/{name}/export/": Study;
  "post /api/models/{name}/promote/": Model;
  "post /api/models/{name}/rollback/": Model;
  "post /api/test-model/{dataset_id}/{model}/": Predictions;
  "post /api/predict/{name}/": Predictions;
  "get /api/monitoring/": Monitoring;
  "get /api/monitoring/metrics/": null;
  "get /api/openapi.json": Record<string, unknown>;
  "get /api/docs/": null;
}

/** What an operation takes in JSON. */
export interface Bodies {
  "post /api/upload/": UploadFromPath;
  "post /api/uploads/": UploadStart;
  "post /api/datasets/{dataset_id}/reread/": ReadOptions;
  "post /api/train/{dataset_id}/": TrainRequest;
  "post /api/jobs/{job_id}/resume/": ResumeRequest;
  "post /api/models/{name}/explain/": ExplainRequest;
  "post /api/models/{name}/charts/": DrawRequest;
  "post /api/models/{name}/promote/": PromoteRequest;
  "post /api/test-model/{dataset_id}/{model}/": PredictRequest;
  "post /api/predict/{name}/": PredictRequest;
}
