// The rules of graphql-eslint for our schema, and for the operations we show and test with.
import graphql from '@graphql-eslint/eslint-plugin';

const rules = (name) => graphql.configs[name].rules;

// Objects that are no things of their own: they belong to what holds them, so nobody caches or
// fetches them by an id.  A new type that has no id must be put here, or be given one.
const VALUES = [
  ...['AuditChange'], // parts of an entry
  ...['BoardSide', 'BoardSla', 'Board'], // what hangs on the wall
  ...['CalendarDay', 'OpenHours', 'Window'], // parts of a calendar
  ...['ClockTransition', 'ClockTransitionEvent', 'EscalationStep'], // parts of a clock
  ...['CommitmentStanding', 'SideStanding', 'SlaStanding', 'SeriesDay', 'SlaSignature'],
  ...['CallBrief', 'BriefedAsset', 'BriefedLead', 'BriefedPersona', 'BriefedReason', 'SuggestedAsset'], // as it was known
  ...['CadenceStep', 'CallCadence'], // a calculation
  ...['CalibratedDelivery', 'CalibratedValue'], // parts of a recalibration
  ...['CriterionReport', 'ExplainedFigure', 'Explanation', 'GoalProgress'], // computed when asked
  ...['BoardReturn', 'ClosedLoop', 'LoopEffort', 'LoopSpan'], // figures of the closed loop
  ...['LoopCampaign', 'LoopCampaigns', 'MissingRate'],
  ...['FunnelCohort', 'FunnelConversion', 'FunnelGroup', 'FunnelReport', 'FunnelStage', 'FunnelTime'],
  ...['EngagementGroup', 'EngagementRule', 'FitGroup', 'FitRule', 'ScoringTerms'], // parts of a scoring model
  ...['FunnelNeed', 'FunnelStepNeed', 'LeadTypeValue', 'LeadValue', 'ReverseFunnel', 'StageCount'],
  ...['AlreadyMergedError', 'DuplicateCompanyError', 'DuplicateLeadError', 'InputError', 'StaleLeadError', 'TooManyAttemptsError'], // refusals
  ...['LeadFact', 'LeadFactCandidate', 'StaleAfter'], // parts of what is known, and how it is taken
  ...['DuplicateEvidence'], // parts of a pair
  ...['ContentConsumption', 'TouchRow'], // computed when asked, and told once
  ...['OpportunityUpsertRow'], // what became of a row
  ...['CustomerRevenue', 'RevenueFigures', 'CycleSpread', 'ForecastPart', 'OwnerForecast', 'PipelineCoverage', 'PipelineForecast'],
  ...['SalesCycle', 'SalesFigures', 'StageForecast', 'TeamForecast'], // computed when asked
  ...['ExternalId', 'Money', 'Utm'], // values in the strict sense
  ...['DigestSubscription', 'FeedbackDigest', 'HandoffOutcome', 'OutcomeCount', 'WaitingForYou'], // what one hears
  ...['Effort', 'LeakLimits', 'LeakReport', 'LeakTotal', 'RatingSummary'],
  ...['GradeCount', 'Grading', 'PreviewedLead', 'ScoredGroup', 'ScoredRule', 'ScoringPreview'], // computed when asked
  ...['IssuedApiKey', 'IssuedBoardLink', 'InvitationPreview', 'SignedIn', 'UploadTicket'], // told once, then forgotten
  ...['LeadPrediction', 'LiftDecile', 'PredictionComparison', 'PredictionFactor', 'PredictionTraining', 'PredictionValidation'], // computed, too
  ...['QueuedLead', 'WorkQueue'], // as it is this instant
  ...['AttributionAnchor', 'CampaignCostRow'], // parts of a model, what became of a row
  ...['Performance', 'PerformanceNumber'], // computed when asked
  ...['LeadUpsertRow', 'OutstandingReaders', 'SharedLanguage', 'StageMeaning', 'Viewer'],
];

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: {
        graphQLConfig: {
          schema: process.env.SCHEMA,
          documents: process.env.DOCUMENTS ? process.env.DOCUMENTS.split(':') : undefined,
        },
      },
    },
    plugins: { '@graphql-eslint': graphql },
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/schema.graphql'],
    rules: {
      ...rules('flat/schema-recommended'),
      ...rules('flat/schema-relay'),
      '@graphql-eslint/strict-id-in-types': [
        'error',
        { exceptions: { types: [...VALUES, 'PageInfo'], suffixes: ['Connection', 'Edge', 'Payload'] } },
      ],
      '@graphql-eslint/relay-edge-types': [
        'error',
        {
          withEdgeSuffix: true,
          shouldImplementNode: true,
          // Optional in the Relay specification, and against `nodes` and `userErrors`: what cannot
          // grow is a plain list, and what can has `nodes` for those who page without cursors.
          listTypeCanWrapOnlyEdgeType: false,
        },
      ],
    },
  },
  {
    files: ['**/*.graphql'],
    ignores: ['**/schema.graphql'],
    rules: rules('flat/operations-recommended'),
  },
];
