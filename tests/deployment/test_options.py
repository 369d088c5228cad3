"""Every combination of the template's options gives a stack that CloudFormation could deploy, with what the options promise."""

import itertools
import json
import re
import unittest

from stack import ACCOUNT, PARTITIONS, REPOSITORY, Refused, Stack, rule_stack, rule_templates, template

APPCONFIG = {
    "AppConfigApplicationId": "ab12cd3",
    "AppConfigEnvironmentId": "ef45gh6",
    "AppConfigProfileId": "ij78kl9",
    "AppConfigExtensionArn": "arn:aws:lambda:us-east-1:111122223333:layer:AWS-AppConfig-Extension-Arm64:1",
}
CHOICES = {
    "Ledger": ("true", "false"),
    "Tracing": ("Active", "PassThrough"),
    "MetricsNamespace": ("Casebridge", ""),
    "appconfig": (APPCONFIG, {}),
}
# What accounts with rules of their own ask for.
EVERYTHING = {
    "DataKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1a2b3c4d-0000-4000-8000-000000000000",
    "EventBatchSize": "10",
    "EventMaximumConcurrency": "20",
    "FlowProvisionedConcurrency": "3",
    "Ledger": "true",
    "LogRetentionDays": "3653",
    "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "VpcSecurityGroupIds": "sg-0a1b2c3d",
    "VpcSubnetIds": "subnet-0a1b2c3d,subnet-1a1b2c3d",
}
# The default bus, one of your own, and a partner's, whose name has slashes.
BUSES = ("default", "orders", "aws.partner/example.com/1234/tickets")


def combinations():
    """Every combination of the options that change which resources there are."""
    for values in itertools.product(*CHOICES.values()):
        chosen = dict(zip(CHOICES, values, strict=True))
        chosen |= chosen.pop("appconfig")
        chosen["Dashboard"] = "true" if chosen["MetricsNamespace"] else "false"
        yield chosen


def variables(stack, name):
    return stack.resources[name]["Properties"]["Environment"]["Variables"]


class Options(unittest.TestCase):
    def test_every_combination_deploys(self):
        for parameters in combinations():
            with self.subTest(parameters):
                stack = Stack(parameters)
                text = json.dumps([stack.resources, stack.outputs])
                self.assertNotIn("Fn::", text)
                self.assertNotIn('"Ref"', text)

    def test_no_arn_is_of_another_partition(self):
        for partition in PARTITIONS:
            extension = {"AppConfigExtensionArn": APPCONFIG["AppConfigExtensionArn"].replace("arn:aws:", f"arn:{partition}:")}
            for parameters in combinations():
                if "AppConfigExtensionArn" in parameters:
                    parameters |= extension
                stack = Stack(parameters, partition)
                with self.subTest(partition, parameters=parameters):
                    found = set(re.findall(r"arn:(aws[a-z-]*):", json.dumps(stack.resources)))
                    self.assertEqual(found, {partition})

    def test_events_are_queued_by_default(self):
        stack = Stack()
        target = stack.resources["EventRule"]["Properties"]["Targets"][0]
        poller = stack.resources["EventQueuePoller"]["Properties"]
        queue = stack.resources["EventQueue"]["Properties"]
        function = stack.resources["EventFunction"]["Properties"]
        self.assertTrue(target["Arn"].endswith(":EventQueue"), target)
        self.assertTrue(poller["EventSourceArn"].endswith(":EventQueue"), poller)
        self.assertEqual(poller["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        # Lambda's advice: six times the function's time-out, and the batch's window.
        least = 6 * function["Timeout"] + poller.get("MaximumBatchingWindowInSeconds", 0)
        self.assertGreaterEqual(queue["VisibilityTimeout"], least)
        self.assertTrue(variables(stack, "EventFunction")["CASEBRIDGE_FAILURE_QUEUE"].endswith("/FailureQueue"))

    def test_a_message_that_waits_for_quota_does_not_become_a_dead_letter(self):
        stack = Stack()
        queue = stack.resources["EventQueue"]["Properties"]
        hours = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"] / 3600
        self.assertGreaterEqual(hours, 5, "an outage of five hours is outlasted")
        self.assertLess(hours * 3600, queue["MessageRetentionPeriod"], "a dead letter is one before its time is up")

    def test_an_event_that_is_sent_directly_has_a_destination_when_it_fails(self):
        [retries] = Stack().of_type("AWS::Lambda::EventInvokeConfig").values()
        self.assertEqual(retries["Qualifier"], "live")
        self.assertTrue(retries["DestinationConfig"]["OnFailure"]["Destination"].endswith(":FailureQueue"))

    def test_block_and_function_agree_on_the_time_of_a_flow(self):
        parameter = template()["Parameters"]["FlowTimeLimitSeconds"]
        for limit in parameter["AllowedValues"]:
            with self.subTest(limit):
                stack = Stack({"FlowTimeLimitSeconds": limit})
                budget = int(variables(stack, "FlowFunction")["CASEBRIDGE_FLOW_BUDGET_MS"])
                self.assertEqual(budget, int(limit) * 1000 - 500)
                self.assertGreater(stack.resources["FlowFunction"]["Properties"]["Timeout"], int(limit))
                self.assertEqual(stack.resources["FlowSlowAlarm"]["Properties"]["Threshold"], int(limit) * 1000)
                self.assertEqual(stack.outputs["FlowTimeLimitSeconds"], limit)

    def test_only_the_instance_of_the_account_invokes_the_flows_function(self):
        stack = Stack()
        connect = [p for p in stack.of_type("AWS::Lambda::Permission").values() if p["Principal"] == "connect.amazonaws.com"]
        self.assertEqual([p["SourceArn"] for p in connect], [stack.parameters["ConnectInstanceArn"]])
        self.assertEqual([p["SourceAccount"] for p in connect], [ACCOUNT])

    def test_both_functions_know_the_prefix_of_the_loop_guard(self):
        for function in ("FlowFunction", "EventFunction"):
            self.assertEqual(variables(Stack({"EntityPrefix": "shop/"}), function)["CASEBRIDGE_ENTITY_PREFIX"], "shop/")

    def test_the_key_of_the_queues_is_one_that_event_bridge_may_use(self):
        stack = Stack()
        key = stack.resources["EventKey"]["Properties"]["KeyPolicy"]["Statement"]
        grants = [s for s in key if s["Principal"] == {"Service": "events.amazonaws.com"}]
        self.assertEqual([s["Action"] for s in grants], [["kms:Decrypt", "kms:GenerateDataKey"]])
        self.assertEqual([s["Condition"] for s in grants], [{"StringEquals": {"aws:SourceAccount": ACCOUNT}}])
        # EventBridge supports no queue that is encrypted with a key that AWS owns.
        for name, queue in stack.of_type("AWS::SQS::Queue").items():
            self.assertTrue(queue["KmsMasterKeyId"].endswith(":key/EventKey"), name)

    def test_a_mapping_from_appconfig_takes_all_of_its_parameters(self):
        for name in APPCONFIG:
            with self.subTest(name), self.assertRaisesRegex(Refused, name):
                Stack(APPCONFIG | {name: ""})
        with self.assertRaisesRegex(Refused, "AppConfigApplicationId"):
            Stack({"AppConfigFallback": "true"})

    def test_a_mapping_from_appconfig_is_asked_for(self):
        stack = Stack(APPCONFIG | {"AppConfigFallback": "true", "AppConfigPollSeconds": "60"})
        for function in ("FlowFunction", "EventFunction"):
            environment = variables(stack, function)
            self.assertEqual(environment["CASEBRIDGE_MAPPING"], "appconfig:ab12cd3/ef45gh6/ij78kl9")
            self.assertEqual(environment["CASEBRIDGE_MAPPING_FALLBACK"], "packaged")
            self.assertEqual(environment["CASEBRIDGE_MAPPING_POLL_SECONDS"], "60")
            self.assertIn(APPCONFIG["AppConfigExtensionArn"], stack.resources[function]["Properties"]["Layers"])
        without = variables(Stack(), "FlowFunction")
        self.assertFalse([name for name in without if "APPCONFIG" in name or name.startswith("CASEBRIDGE_MAPPING_")])

    def test_appconfig_may_have_a_mapping_validated_where_it_has_one(self):
        for parameters, expected in ((APPCONFIG, [ACCOUNT]), ({}, [])):
            permissions = Stack(parameters).of_type("AWS::Lambda::Permission").values()
            found = [p["SourceAccount"] for p in permissions if p["Principal"] == "appconfig.amazonaws.com"]
            self.assertEqual(found, expected)

    def test_combinations_that_cannot_work_are_refused(self):
        for parameters, reason in (
            ({"EventReservedConcurrency": "1"}, "2 or more"),
            ({"EventReservedConcurrency": "0"}, "EventPolling"),
            ({"MetricsNamespace": ""}, "MetricsNamespace"),
            ({"VpcSubnetIds": "subnet-0a1b2c3d"}, "VpcSecurityGroupIds"),
            ({"VpcSecurityGroupIds": "sg-0a1b2c3d"}, "VpcSubnetIds"),
            ({"VpcSubnetIds": "subnet-0a1b2c3d,*"}, "VpcSubnetIds"),
            ({"EventMaximumConcurrency": "1"}, "EventMaximumConcurrency"),
            ({"CasesDomainId": "*"}, "CasesDomainId"),
            ({"ConnectInstanceArn": "arn:aws:connect:us-east-1:111122223333:instance/*"}, "ConnectInstanceArn"),
            ({"ProfilesDomain": "*"}, "ProfilesDomain"),
            ({"EntityPrefix": "c/"}, "EntityPrefix"),
            ({"FlowTimeLimitSeconds": "9"}, "FlowTimeLimitSeconds"),
        ):
            with self.subTest(parameters), self.assertRaisesRegex(Refused, reason):
                Stack(parameters)

    def test_an_account_s_own_rules_can_be_kept(self):
        boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
        stack = Stack(EVERYTHING | {"PermissionsBoundaryArn": boundary})
        for name, role in stack.of_type("AWS::IAM::Role").items():
            self.assertEqual(role["PermissionsBoundary"], boundary, name)
        for name in ("FlowFunction", "EventFunction"):
            vpc = stack.resources[name]["Properties"]["VpcConfig"]
            self.assertEqual(vpc["SubnetIds"], ["subnet-0a1b2c3d", "subnet-1a1b2c3d"])
            self.assertEqual(vpc["SecurityGroupIds"], ["sg-0a1b2c3d"])
        for name, group in stack.of_type("AWS::Logs::LogGroup").items():
            self.assertEqual((group["KmsKeyId"], group["RetentionInDays"]), (EVERYTHING["DataKeyArn"], "3653"), name)
        table = stack.resources["LedgerTable"]["Properties"]["SSESpecification"]
        self.assertEqual(table, {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": EVERYTHING["DataKeyArn"]})
        poller = stack.resources["EventQueuePoller"]["Properties"]
        self.assertEqual((poller["BatchSize"], poller["ScalingConfig"]), ("10", {"MaximumConcurrency": "20"}))
        aliases = [r["ProvisionedConcurrencyConfig"] for r in stack.of_type("AWS::Lambda::Alias").values() if len(r) > 3]
        self.assertEqual(aliases, [{"ProvisionedConcurrentExecutions": "3"}])
        for name, role in Stack().of_type("AWS::IAM::Role").items():
            self.assertNotIn("PermissionsBoundary", role, name)
        self.assertNotIn("VpcConfig", Stack().resources["FlowFunction"]["Properties"])

    def test_every_queue_takes_encrypted_connections_alone(self):
        for stack in (Stack(), rule_stack()):
            refused = {
                statement["Resource"].rpartition(":")[2]
                for policy in stack.of_type("AWS::SQS::QueuePolicy").values()
                for statement in policy["PolicyDocument"]["Statement"]
                if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            }
            self.assertEqual(refused, stack.of_type("AWS::SQS::Queue").keys())

    def test_the_ledger_outlives_the_stack(self):
        table = Stack({"Ledger": "true"}).resources["LedgerTable"]
        self.assertEqual((table["DeletionPolicy"], table["UpdateReplacePolicy"]), ("Retain", "Retain"))
        self.assertEqual(table["Properties"]["TimeToLiveSpecification"], {"AttributeName": "expiration", "Enabled": True})

    def test_what_can_have_tags_has_them(self):
        untagged = {  # these take none
            "AWS::CloudWatch::Dashboard",
            "AWS::CodeDeploy::Application",  # it can, but SAM makes it
            "AWS::CodeDeploy::DeploymentGroup",  # likewise
            "AWS::Connect::IntegrationAssociation",  # AssociateLambdaFunction takes none
            "AWS::Lambda::Alias",
            "AWS::Lambda::Version",
            "AWS::Logs::QueryDefinition",
            "AWS::IAM::ManagedPolicy",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::Permission",
            "AWS::SQS::QueuePolicy",
        }
        for stack in (Stack({"Ledger": "true"}), rule_stack()):
            for name, resource in stack.resources.items():
                if resource["Type"] not in untagged:
                    self.assertIn({"Key": "application", "Value": "casebridge"}, resource["Properties"].get("Tags", []), name)

    def test_every_parameter_is_described_grouped_and_bounded(self):
        for path, source in {"template.yaml": template(), **rule_templates()}.items():
            groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
            grouped = [name for group in groups for name in group["Parameters"]]
            self.assertCountEqual(grouped, source["Parameters"])
            for name, parameter in source["Parameters"].items():
                with self.subTest(name, template=path):
                    self.assertTrue(parameter["Description"].endswith("."))
                    bounds = {"AllowedPattern", "AllowedValues", "MinValue"} & parameter.keys()
                    self.assertTrue(bounds or parameter["Type"] == "CommaDelimitedList", "any value is taken")

    def test_the_release_is_that_of_the_function(self):
        version = re.search(r'(?m)^version = "(.+)"', (REPOSITORY / "Cargo.toml").read_text())[1]
        self.assertEqual(template()["Metadata"]["AWS::ServerlessRepo::Application"]["SemanticVersion"], version)


if __name__ == "__main__":
    unittest.main()
