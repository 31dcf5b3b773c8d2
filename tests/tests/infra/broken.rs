//! Copies that are broken in one place each, and the lint that must say so. An edit that does not fit any more is a failure
//! too: the table goes with the files.

use std::collections::BTreeSet;

use crate::lints;
use crate::tree::Files;

/// File; a text that stands there once; what stands behind it; what stands there then; who says so.
type Edit = (&'static str, &'static str, &'static str, &'static str, &'static str);

const DEV: &str = "infra/development.yaml";
const PROD: &str = "infra/production.yaml";
const RECEIVE: &str = "receiver/workflow.asl.json";
const RELEASE: &str = "orchestrator/workflow.asl.json";
const FLEET: &str = "receiver/fleet.asl.json";

const VERIFY: &str = "\"VerifyRelease\": {";
const REBOOT: &str = "- Sid: Restart\n";
const LOOK: &str = "\n  LookPolicy:\n";
const STAGE: &str = "\n  StageSnapshotRole:\n";

const BROKEN: &[Edit] = &[
    // Definitions and functions.
    (RECEIVE, VERIFY, "\"${VerifyRelease}\"", "\"VerifyRelease\"", "calls-a-step"),
    (RELEASE, "\"Share\": {", "\"${Share}\"", "\"${Unshare}\"", "calls-a-step"),
    (RECEIVE, VERIFY, "\"${VerifyRelease}\"", "\"${FindRelease}\"", "step-is-used"),
    (RELEASE, "\"AssertIsolated\": {", "\"${AssertIsolated}\"", "\"${Restart}\"", "step-is-used"),
    (RECEIVE, VERIFY, "\"${VerifyRelease}\"", "\"${Verify}\"", "substituted"),
    (
        DEV,
        "/receiver/workflow.asl.json",
        "        VerifyRelease: !GetAtt VerifyRelease.Arn\n",
        "",
        "substituted",
    ),
    (DEV, "/receiver/workflow.asl.json", "VerifyRelease.Arn", "FindRelease.Arn", "substituted"),
    (
        DEV,
        "/receiver/workflow.asl.json",
        "Topic: !Ref Topic\n",
        "Topic: !Ref Topic\n        Other: x\n",
        "substituted",
    ),
    (PROD, "/orchestrator/workflow.asl.json", "AssertIsolated.Arn", "Restart.Arn", "substituted"),
    (DEV, "/receiver/fleet", ".asl.json", ".json", "machine-has-a-definition"),
    (
        DEV,
        "/receiver/fleet.asl.json'}",
        "\n",
        "\n      DefinitionString: '{}'\n",
        "machine-has-a-definition",
    ),
    (DEV, "/receiver/fl", "eet.asl.json", "ota.asl.json", "definition-has-a-machine"),
    (PROD, "/orchestrator/req", "uest.asl.json", "aper.asl.json", "definition-has-a-machine"),
    (DEV, "\n  VerifyRelease:\n", "Handler: VerifyRelease", "Handler: Verify", "handler-is-a-step"),
    (PROD, "\n  Share:\n", "Handler: Share", "Handler: share", "handler-is-a-step"),
    (PROD, "\n  Share:\n", "-Share\"", "-Sharing\"", "handler-is-a-step"),
    (
        DEV,
        "\n  VerifyRelease:\n",
        "Handler: VerifyRelease",
        "Handler: FindRelease",
        "step-has-a-function",
    ),
    (RECEIVE, "\"ResultPath\": \"$.found\"", "\"Retryable\"", "\"Retriable\"", "error-exists"),
    (RELEASE, "\"MaskEach\": {", "Lambda.ServiceException", "Lambda.Exception", "error-exists"),
    (FLEET, "StepFunctions.Sf", "nException", "Exception", "error-exists"),
    (RECEIVE, "\"SmokeCheck\": {", "\"TimeoutSeconds\": 600,", "", "ends"),
    (RELEASE, "\"Anonymize\": {", "\"TimeoutSeconds\": 86400,", "", "ends"),
    (FLEET, "\"StartAt\": \"IsItSaidHowMany\",", "\"TimeoutSeconds\": 172800,", "", "ends"),
    (
        RECEIVE,
        "\"SmokeCheck\": {",
        "\"TimeoutSeconds\": 600,",
        "\"TimeoutSeconds\": 601,",
        "function-has-the-time",
    ),
    (PROD, "\n  CleanUp:\n", "Timeout: 125", "Timeout: 60", "function-has-the-time"),
    // Roles.
    (DEV, REBOOT, "rds:RebootDBInstance", "rds:*", "actions-are-named"),
    (DEV, REBOOT, "rds:RebootDBInstance", "'*'", "actions-are-named"),
    (
        DEV,
        REBOOT,
        "Action: rds:RebootDBInstance",
        "NotAction: rds:DeleteDBInstance",
        "actions-are-named",
    ),
    (PROD, "- Sid: RunMasking\n", "ecs:RunTask", "ecs:*", "actions-are-named"),
    (PROD, LOOK, "rds:DescribeDBInstances", "'*'", "actions-are-named"),
    (DEV, REBOOT, "rds:RebootDBInstance", "rds:ModifyDBSnapshotAttribute", "one-role-shares"),
    (DEV, REBOOT, "rds:RebootDBInstance", "rds:Modify*Attribute", "one-role-shares"),
    (
        PROD,
        STAGE,
        "rds:CreateDBSnapshot",
        "rds:ModifyDBClusterSnapshotAttribute",
        "one-role-shares",
    ),
    (PROD, LOOK, "rds:DescribeDBInstances", "rds:ModifyDBSnapshotAttribute", "one-role-shares"),
    (
        PROD,
        "\n  ShareRole:\n",
        "rds:ModifyDBSnapshotAttribute, rds:ModifyDBClusterSnapshotAttribute",
        "rds:DescribeDBInstances",
        "one-role-shares",
    ),
    (
        DEV,
        "\n  SmokeCheckRole:\n",
        " `*`: EC2 knows no resource for either of them.",
        "",
        "star-has-a-reason",
    ),
    (DEV, REBOOT, "Resource: ", "Resource: '*' #", "star-has-a-reason"),
    (DEV, "\n  RenameOld:\n", "RenameOldRole.Arn", "RenameNewRole.Arn", "role-of-its-own"),
    (PROD, "\n  ShareRole:\n", "-Share\"", "-Sharing\"", "role-of-its-own"),
    (
        PROD,
        "\n  ShareRole:\n",
        "lambda.amazonaws.com",
        "arn:aws:iam::111122223333:root",
        "roles-are-of-services",
    ),
    (
        DEV,
        "\n  RenameOldRole:\n",
        "Service: lambda.amazonaws.com",
        "AWS: '*'",
        "roles-are-of-services",
    ),
    (
        PROD,
        "\n  ShareRole:\n",
        "!Ref LookPolicy",
        "arn:aws:iam::aws:policy/AmazonRDSFullAccess",
        "policies-are-here",
    ),
    (PROD, "\n  CleanUpRole:\n", "!Ref NetworkPolicy, ", "", "network-is-looked-at"),
    (
        PROD,
        "\n  ShareRole:\n",
        "!Ref LookPolicy",
        "!Ref LookPolicy, !Ref NetworkPolicy",
        "network-is-looked-at",
    ),
    (
        DEV,
        "\n  RenameOldRole:\n",
        "      ManagedPolicyArns: [!Ref NetworkPolicy]\n",
        "",
        "network-is-looked-at",
    ),
    (
        DEV,
        "\n  NetworkPolicy:\n",
        "              - ec2:DescribeVpcAttribute\n",
        "",
        "network-is-looked-at",
    ),
    (
        DEV,
        "\n  TakeOverRole:\n",
        "kms:Decrypt, kms:DescribeKey, ",
        "kms:Decrypt, ",
        "password-has-its-key",
    ),
    (
        PROD,
        "- Sid: GrantWorkKey\n",
        "                      - !Sub \"secretsmanager.${AWS::Region}.amazonaws.com\"\n",
        "",
        "password-has-its-key",
    ),
    (
        PROD,
        "- Sid: GrantsOfMasterPassword\n",
        "kms:CreateGrant",
        "kms:RetireGrant",
        "password-has-its-key",
    ),
    (
        PROD,
        "- Sid: MasterPassword\n",
        "secretsmanager:CreateSecret, secretsmanager:TagResource",
        "secretsmanager:CreateSecret",
        "password-has-its-key",
    ),
    // Keys.
    (
        PROD,
        STAGE,
        "!GetAtt WorkKey.Arn\n                Condition:\n                  StringEquals: { \"kms:ViaService\": !Sub \"rds.${AWS::Region}.amazonaws.com\" }\n                  Bool",
        "!GetAtt ShareKey.Arn\n                Condition:\n                  StringEquals: { \"kms:ViaService\": !Sub \"rds.${AWS::Region}.amazonaws.com\" }\n                  Bool",
        "one-role-encrypts-for-others",
    ),
    (
        PROD,
        "- Sid: GrantShareKeyToRds\n",
        "ShareKey.Arn",
        "WorkKey.Arn",
        "one-role-encrypts-for-others",
    ),
    (
        PROD,
        "- Sid: NobodyElseHereEncryptsUnderIt\n",
        "Deny",
        "Allow",
        "one-role-encrypts-for-others",
    ),
    (
        PROD,
        "- Sid: NobodyElseHereEncryptsUnderIt\n",
        "              - kms:ReEncryptTo\n",
        "",
        "one-role-encrypts-for-others",
    ),
    (
        PROD,
        "- Sid: NobodyElseHereEncryptsUnderIt\n",
        "-ReEncrypt\"",
        "-*\"",
        "one-role-encrypts-for-others",
    ),
    (
        PROD,
        "- Sid: RestoredDatabasesThroughRds\n",
        "!Sub \"arn:${AWS::Partition}:iam::${AWS::AccountId}:root\"",
        "!Ref DevelopmentAccounts",
        "key-stays-inside",
    ),
    (
        PROD,
        "- Sid: TheTaskDerives\n",
        "!Sub \"arn:${AWS::Partition}:iam::${AWS::AccountId}:root\"",
        "\"*\"",
        "key-stays-inside",
    ),
    (
        DEV,
        "- Sid: UsedThroughServices\n",
        "${AWS::AccountId}",
        "${ProductionAccount}",
        "key-stays-inside",
    ),
    (
        PROD,
        "- Sid: DevelopmentReadsThroughRds\n",
        "\"kms:ViaService\"",
        "\"kms:GrantOperations\"",
        "key-stays-inside",
    ),
    (PROD, "- Sid: DevelopmentReadsThroughRds\n", "-CopySnapshot\"", "-*\"", "one-role-copies"),
    (PROD, "- Sid: DevelopmentGrantsForRds\n", "ArnLike", "StringLike", "one-role-copies"),
    (DEV, "\n  RestoreRole:\n", "!GetAtt Key.Arn", "!Ref ShareKeyArn", "one-role-copies"),
    (DEV, "- Sid: KeyOfReleases\n", "kms:ViaService", "kms:CallerAccount", "keys-through-services"),
    (DEV, "- Sid: GrantsOfKeyOfReleases\n", "'true'", "'false'", "keys-through-services"),
    (
        PROD,
        "- Sid: GrantShareKeyToRds\n",
        "\"kms:GrantIsForAWSResource\": true",
        "\"kms:GrantIsForAWSResource\": false",
        "keys-through-services",
    ),
    // Everything else.
    (
        DEV,
        "\nParameters:\n",
        "  Name:\n",
        "  DatabasePassword: {Type: String}\n  Name:\n",
        "no-secret",
    ),
    (
        DEV,
        "\nParameters:\n",
        "    Type: String\n",
        "    Type: String\n    NoEcho: true\n",
        "no-secret",
    ),
    (DEV, "\n  VerifyRelease:\n", "ANONYMIZER_KEY:", "ANONYMIZER_SIGNING_TOKEN:", "no-secret"),
    (DEV, "\n  VerifyRelease:\n", "!Ref PublicKeys", "'-----BEGIN PRIVATE KEY-----'", "no-secret"),
    (
        DEV,
        "\n  VerifyRelease:\n",
        "!Ref PublicKeys",
        "'{{resolve:secretsmanager:key}}'",
        "no-secret",
    ),
    (
        PROD,
        "ContainerDefinitions:",
        "Environment:",
        "Secrets: []\n          Environment:",
        "no-secret",
    ),
    (
        RECEIVE,
        "\"ResultPath\": \"$.found\"",
        "\"Payload\": {",
        "\"Payload\": { \"password.$\": \"$.x\",",
        "no-secret",
    ),
    (DEV, "\n  Key:\n", "    DeletionPolicy: RetainExceptOnCreate\n", "", "kept"),
    (
        DEV,
        "\n  Locks:\n    Type",
        "UpdateReplacePolicy: Retain",
        "UpdateReplacePolicy: Delete",
        "kept",
    ),
    (PROD, "\n  Evidence:\n", "    DeletionPolicy: RetainExceptOnCreate\n", "", "kept"),
    (
        PROD,
        "\n  MaskKey:\n",
        "DeletionPolicy: RetainExceptOnCreate",
        "DeletionPolicy: Delete",
        "kept",
    ),
    (
        DEV,
        "# S3 has the addresses of the internet, also through an endpoint.\n",
        "the services of AWS",
        "Amazon's services",
        "description-is-allowed",
    ),
    (
        DEV,
        "\n  AcquireLockRole:\n",
        "!GetAtt FunctionLogs.Arn",
        "!Sub ${FunctionLogs.Arn}:log-stream:*",
        "arn-of-logs-has-an-end",
    ),
    (
        DEV,
        "\n  FunctionLogs:\n",
        "      KmsKeyId: !GetAtt LogKey.Arn\n",
        "",
        "logs-are-encrypted-and-end",
    ),
    (
        PROD,
        "\n  ShareLog:\n",
        "      RetentionInDays: !Ref LogDays\n",
        "",
        "logs-are-encrypted-and-end",
    ),
    (
        DEV,
        "\n  VerifyRelease:\n",
        "      LoggingConfig: {LogGroup: !Ref FunctionLogs}\n",
        "",
        "logs-are-encrypted-and-end",
    ),
    (
        DEV,
        "\n  VerifyRelease:\n",
        "!Ref ShareKeyArn",
        "!GetAtt Key.Arn",
        "functions-are-told-the-same",
    ),
    (
        PROD,
        "\n  Share:\n",
        "!GetAtt WorkKey.Arn",
        "!GetAtt ShareKey.Arn",
        "functions-are-told-the-same",
    ),
    (
        DEV,
        "\n  Reap:\n",
        "ANONYMIZER_TABLE:",
        "ANONYMIZER_LEASES:",
        "functions-are-told-what-they-ask",
    ),
    (
        PROD,
        "\n  Share:\n",
        "ANONYMIZER_EVIDENCE:",
        "ANONYMIZER_STATEMENTS:",
        "functions-are-told-what-they-ask",
    ),
    (DEV, "\n  ReaperFailed:\n", "orphan found", "orphan lost", "alarm-has-a-runbook"),
    (DEV, "\n  ReaperFailed:\n", "Runbook: ", "", "alarm-has-a-runbook"),
    (PROD, "\n  ReaperFails:\n", "AlarmActions: [", "OKActions: [", "alarm-has-a-runbook"),
    (
        DEV,
        "\n  EveryWeek:\n",
        "\"at_a_time\": ${AtATime}",
        "\"at_a_time\": 3",
        "fleet-is-told-how-many",
    ),
    (DEV, "\n  WhenReleased:\n", "\"at_a_time\": ${AtATime}, ", "", "fleet-is-told-how-many"),
];

#[test]
fn every_lint_catches_a_broken_copy() {
    let whole = Files::read().tree().unwrap();
    let (mut proven, mut missed) = (BTreeSet::new(), Vec::new());
    for (file, behind, from, to, lint) in BROKEN {
        let found = whole.edited(file, behind, from, to).map(|broken| lints::of(&broken, lint));
        match found {
            Ok(found) if found.iter().any(|one| one.lint == *lint) => drop(proven.insert(*lint)),
            found => {
                missed.push(format!("{file}: `{to}` for `{from}` behind `{behind}`: {found:?}"))
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let unproven: Vec<_> = lints::names().filter(|name| !proven.contains(name)).collect();
    assert!(unproven.is_empty(), "no copy is broken for {unproven:?}");
}
